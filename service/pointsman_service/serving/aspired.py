"""What should be served, as announced; and what was served last, for a start without the store.

The cache remembers it together with the store's URL: a machine that is given another store must
not answer with what it knew from the one before.
"""

import logging
from collections.abc import Callable

import msgspec

from pointsman import channel as channels
from pointsman.cache import Cache
from pointsman.channel import Channel
from pointsman.errors import PointsmanError

Doubt = Callable[[Channel, bytes], str]
"""Says why a channel with this document must not be followed; "" when it may."""

log = logging.getLogger(__name__)


def _none(_channel: Channel, _document: bytes) -> str:
    return ""


class Aspired(msgspec.Struct, frozen=True):
    """The channel as read, its document, and whether it came from the store or from the cache.

    `doubt` says why it must not be followed, if it must not.
    """

    channel: Channel
    document: bytes
    origin: str
    doubt: str = ""


class _Memory(msgspec.Struct, frozen=True):
    store: str
    document: str


class LastServed:
    """A channel of one store as it was when its version last began to serve here."""

    def __init__(
        self, cache: Cache, store_url: str, model: str, channel: str, doubt: Doubt = _none
    ) -> None:
        """Recall nothing that `doubt` has something against."""
        self._doubt = doubt
        self._cache = cache
        self._store_url = store_url
        self._model = model
        self._channel = channel

    def remember(self, aspired: Aspired) -> None:
        """Keep what is served now; a cache that cannot be written is only warned of."""
        memory = _Memory(self._store_url, aspired.document.decode())
        try:
            digest = aspired.channel.stable.digest
            self._cache.remember(self._model, self._channel, msgspec.json.encode(memory), digest)
        except OSError as error:
            log.warning("the cache cannot be written: %s", error)

    def recall(self) -> Aspired | None:
        """Return what was served last from this store, if that is known and can be read."""
        try:
            data = self._cache.remembered(self._model, self._channel)
            memory = msgspec.json.decode(data, type=_Memory) if data is not None else None
            if memory is None or memory.store != self._store_url:
                return None
            document = memory.document.encode()
            channel = channels.read(document, self._channel)
            if doubt := self._doubt(channel, document):
                log.warning("what was served last must not be served: %s", doubt)
                return None
            return Aspired(channel, document, "cache")
        except (OSError, msgspec.DecodeError, PointsmanError) as error:
            log.warning("what was served last cannot be read: %s", error)
            return None
