"""The source: watches the channel, and announces what should be served.

One conditional GET of one small object per poll, never a listing. While the store cannot be
read it backs off, says so, and, if nothing was ever announced, announces what this machine
served last.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pointsman import channel as channels
from pointsman import keys
from pointsman.cache import Cache
from pointsman.channel import Channel
from pointsman.errors import InvalidDocument, ObjectNotFound, PointsmanError
from pointsman.stores.base import ObjectStore

_LONGEST_PAUSE_SECONDS = 30.0
_JITTER = 0.1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Aspired:
    """The channel as read, its document, and whether it came from the store or from the cache."""

    channel: Channel
    document: bytes
    origin: str
    doubt: str = ""
    """Why it must not be followed, if it must not."""


class Source:
    """Follows one channel until cancelled."""

    def __init__(
        self,
        store: ObjectStore,
        cache: Cache,
        model: str,
        channel: str,
        poll_seconds: float,
        announce: Callable[[Aspired], None],
        doubt: Callable[[Channel, bytes], str] = lambda _channel, _document: "",
    ) -> None:
        self._store = store
        self._cache = cache
        self._model = model
        self._channel = channel
        self._poll_seconds = poll_seconds
        self._announce = announce
        self._doubt = doubt
        self._etag: str | None = None
        self._announced = False
        self._failures = 0
        self._read_at: float | None = None
        self.trouble = ""
        """Why the channel cannot be read at present; empty while all is well."""

    @property
    def age_seconds(self) -> float | None:
        """How long ago the store last confirmed the channel; None if it never did."""
        return None if self._read_at is None else time.monotonic() - self._read_at

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Poll for ever."""
        while True:
            await self.look()
            await pause(self._pause())

    async def look(self) -> None:
        """Read the channel once, and announce it if it changed."""
        key = keys.channel(self._model, self._channel)
        try:
            stored = await asyncio.to_thread(self._store.get, key, self._etag)
            if stored is not None:
                channel = channels.read(stored.data, self._channel)
                doubt = await asyncio.to_thread(self._doubt, channel, stored.data)
                self._tell(Aspired(channel, stored.data, "store", doubt))
                self._etag = stored.info.etag
        except ObjectNotFound:
            self._succeeded()
            self.trouble = f"nothing is active in the channel {self._channel} of {self._model}"
        except PointsmanError as error:
            self._failed(error)
            await asyncio.to_thread(self._fall_back)
        else:
            self._succeeded()

    def _tell(self, aspired: Aspired) -> None:
        self._announced = True
        self._announce(aspired)

    def _succeeded(self) -> None:
        if self._failures:
            log.info("the store answers again")
        self._failures = 0
        self._read_at = time.monotonic()
        self.trouble = ""

    def _failed(self, error: PointsmanError) -> None:
        if not self._failures:
            log.warning("the channel cannot be read: %s", error)
        self._failures += 1
        self.trouble = str(error)

    def _fall_back(self) -> None:
        if self._announced:
            return
        document = self._cache.remembered(self._model, self._channel)
        if document is None:
            return
        try:
            channel = channels.read(document, self._channel)
        except InvalidDocument:
            return
        if doubt := self._doubt(channel, document):
            log.warning("what was served last is not: %s", doubt)
            return
        log.warning("serving what was served last: %s", channel.stable.version)
        self._tell(Aspired(channel, document, "cache"))

    def _pause(self) -> float:
        backed_off = min(self._poll_seconds * 2.0**self._failures, _LONGEST_PAUSE_SECONDS)
        pause = max(self._poll_seconds, backed_off)
        return pause * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 — spreads the fleet
