"""Activity: whether anybody asks, for platforms that put to sleep what sends nothing.

While nobody asks, an instance that may rest neither polls nor beats. The next request wakes it: it
is answered by what is in memory, and the channel is looked at in the same moment. Whether requests
came is told by counts that are kept anyway, so that being awake costs nothing.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from pointsman_service.serving.residents import Residents
from pointsman_service.serving.router import Router

log = logging.getLogger(__name__)


class Activity:
    """Tells when to rest, and until when; used from the event loop only."""

    def __init__(
        self,
        router: Router,
        residents: Residents,
        changed: Callable[[], None],
        idle_seconds: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Rest when no request came for `idle_seconds` (None: never), and say so by `changed`."""
        self._router = router
        self._residents = residents
        self._changed = changed
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._count = 0
        self._active_at = clock()
        self._woken = asyncio.Event()
        self.asleep = False

    async def rest(self) -> None:
        """Return at once while there is anything to do, else when the next request comes."""
        if not self._idle():
            return
        log.info("nobody asks: resting until somebody does")
        self._woken.clear()
        self._router.at_next_request(self._woken.set)
        self.asleep = True
        self._changed()
        try:
            await self._woken.wait()
        finally:
            self.asleep = False
            self._active_at = self._clock()
            self._changed()
        log.info("awake again")

    def _idle(self) -> bool:
        """Tell whether it is time to rest: never before something can be answered."""
        if self._idle_seconds is None:
            return False
        now, count = self._clock(), self._residents.asked
        if count != self._count or self._router.stable is None or self._residents.in_flight:
            self._count, self._active_at = count, now
        return now - self._active_at >= self._idle_seconds
