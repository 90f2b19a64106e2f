"""Busy polling: who asks again at once finds the event loop awake.

To fall asleep and be woken takes a processor, above all a virtual one, longer than a small model
takes; and afterwards its caches are cold. So after an answer the loop looks for the next request
for a moment before it sleeps, as long as that pays: clients on the same machine come back that
soon, and clients behind a network never do. Where it succeeds less than every other time it looks
less and less often, at last once in a thousand answers: no processor's time is wasted on hope.

After a model that takes longer it looks for longer: a fiftieth of the time that this took.
"""

import asyncio
import time
from collections.abc import Callable

_LONGEST_PAUSE = 1024
_SHARE = 0.02
_MOST_SECONDS = 0.0005


class BusyPolling:
    """Decides after each answer whether to look; used from the event loop only."""

    __slots__ = ("_clock", "_looking", "_pause", "_seconds", "_skipped", "_until")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        """Look for at least `seconds` after an answer; 0 for never."""
        self._seconds = seconds
        self._clock = clock
        self._looking = False
        self._until = 0.0
        self._pause = 0
        self._skipped = 0

    def answered(self, loop: asyncio.AbstractEventLoop, took: float = 0.0) -> None:
        """Look for the next request, if that has paid lately; it pays if this comes in time.

        `took` is how many seconds the model had for the answer.
        """
        if self._looking:
            self._pause //= 2
            self._until = self._clock() + self._patience(took)
        elif self._skipped < self._pause or not self._seconds:
            self._skipped += 1
        else:
            self._looking = True
            self._until = self._clock() + self._patience(took)
            loop.call_soon(self._look, loop)

    def _patience(self, took: float) -> float:
        return max(self._seconds, min(took * _SHARE, _MOST_SECONDS))

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Keep the loop from sleeping for one turn more, or give up."""
        if self._clock() < self._until:
            loop.call_soon(self._look, loop)
            return
        self._looking = False
        self._skipped = 0
        self._pause = min(2 * self._pause + 2, _LONGEST_PAUSE)
