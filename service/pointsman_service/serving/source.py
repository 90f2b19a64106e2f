"""The source: watches the channel, and announces what should be served.

One conditional GET of one small object per poll, never a listing. While the store cannot be
read, or has lost the channel, it says so, and, if nothing was ever announced, announces what
this machine served last; while it cannot be read it also backs off.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from pointsman import channel as channels
from pointsman import keys
from pointsman.errors import ObjectNotFound, PointsmanError
from pointsman.stores.base import ObjectStore
from pointsman_service.serving.aspired import Aspired, Doubt, LastServed

_LONGEST_PAUSE_SECONDS = 30.0
_MOST_DOUBLINGS = 16  # more are never needed, and 2.0**1024 is an error
_JITTER = 0.1

log = logging.getLogger(__name__)


async def _never() -> None:
    """Rest not at all."""


class Source:
    """Follows one channel until cancelled."""

    def __init__(
        self,
        store: ObjectStore,
        last_served: LastServed,
        model: str,
        channel: str,
        poll_seconds: float,
        announce: Callable[[Aspired], None],
        changed: Callable[[], None],
        doubt: Doubt = lambda _channel, _document: "",
    ) -> None:
        """Call `announce` when the channel changed, and `changed` when `trouble` did.

        What `doubt` has something against is announced with that.
        """
        self.rest = _never
        """Returns when it is time to look again: later, if nobody asks for predictions."""
        self._doubt = doubt
        self._store = store
        self._last_served = last_served
        self._model = model
        self._channel = channel
        self._poll_seconds = poll_seconds
        self._announce = announce
        self._changed = changed
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
            await self.rest()

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
            self._failures = 0
            self._read_at = time.monotonic()
            self._now(f"nothing is active in the channel {self._channel} of {self._model}")
            await self._fall_back()
        except PointsmanError as error:
            self._failures += 1
            self._now(str(error))
            await self._fall_back()
        else:
            self._failures = 0
            self._read_at = time.monotonic()
            self._now("")

    def _tell(self, aspired: Aspired) -> None:
        self._announced = True
        self._announce(aspired)

    def _now(self, trouble: str) -> None:
        if trouble == self.trouble:
            return
        if trouble:
            log.warning("the channel cannot be followed: %s", trouble)
        else:
            log.info("the channel can be followed again")
        self.trouble = trouble
        self._changed()

    async def _fall_back(self) -> None:
        """Announce what was served last, unless something was announced already."""
        if self._announced:
            return
        aspired = await asyncio.to_thread(self._last_served.recall)
        if aspired is not None:
            log.warning("falling back to what was served last: %s", aspired.channel.stable.version)
            self._tell(aspired)

    def _pause(self) -> float:
        doublings = min(self._failures, _MOST_DOUBLINGS)
        backed_off = min(self._poll_seconds * 2.0**doublings, _LONGEST_PAUSE_SECONDS)
        pause = max(self._poll_seconds, backed_off)
        return pause * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 — spreads the fleet
