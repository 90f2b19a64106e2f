"""The bake window: for a while after a switch, the new version is watched, and left if it is worse.

Nobody else would notice: platforms that probe a service's health at all ask whether it answers, and
not what. Who decided to go back is not put in question, and neither is the first version of all.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from pointsman_service.serving.bake import LIMITS, Record, breach
from pointsman_service.serving.servable import Servable

_LOOK_SECONDS = 0.5
_STRETCH_SECONDS = 2.0

log = logging.getLogger(__name__)


class State(StrEnum):
    """How a window stands."""

    WATCHING = "watching"
    PASSED = "passed"
    RETURNED = "returned"


class Verdict(msgspec.Struct):
    """The last window: which version, how it stands, why, and until when."""

    version: str
    digest: str
    until: datetime
    state: State = State.WATCHING
    reason: str = ""


class _Window(msgspec.Struct):
    new: Servable
    before: Record
    old: Record
    stretches: tuple[float, ...] = ()
    stretch_from: float = 0.0
    stretch_answered: int = 0

    def measure(self, now: float) -> None:
        """End a stretch of time, if it was long enough and enough was asked in it."""
        answered = self.new.statistics.requests
        count = answered - self.stretch_answered
        if now - self.stretch_from < _STRETCH_SECONDS or count < LIMITS.least_latencies:
            return
        p99 = self.new.statistics.p99_of_last(count)
        self.stretches += () if p99 is None else (p99,)
        self.stretch_from, self.stretch_answered = now, answered


class BakeWindow:
    """Watches what was switched to, until cancelled."""

    def __init__(
        self,
        seconds: float,
        go_back: Callable[[str], bool],
        changed: Callable[[], None],
        look_seconds: float = _LOOK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch for `seconds` (0: never); `go_back` tells whether it could."""
        self._seconds = seconds
        self._go_back = go_back
        self._changed = changed
        self._look_seconds = look_seconds
        self._clock = clock
        self._window: _Window | None = None
        self._begun = asyncio.Event()
        self.verdict: Verdict | None = None
        self.returned: Callable[[Verdict], None] = lambda _: None
        """Called after a version was left."""

    def begin(self, new: Servable, old: Servable) -> None:
        """Watch `new`, which answers instead of `old` from now on."""
        if not self._seconds:
            return
        self._window = _Window(
            new,
            record(new),
            record(old),
            stretch_from=self._clock(),
            stretch_answered=new.statistics.requests,
        )
        new.looks.closely()
        new.looks.afresh()
        until = datetime.now(UTC) + timedelta(seconds=self._seconds)
        self.verdict = Verdict(new.name, new.version.digest, until)
        self._begun.set()

    def end(self) -> None:
        """Stop watching: something else answers, and a verdict on what answered before is old."""
        if self._window is not None:
            self._window.new.looks.in_passing()
        self._window = self.verdict = None

    async def run(self) -> None:
        """Look at what is watched, again and again."""
        while True:
            await self._begun.wait()
            self._begun.clear()
            while self._window is not None:
                self.look()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._look_seconds):
                        await self._begun.wait()
                self._begun.clear()

    def look(self) -> None:
        """Judge what is watched by what it did until now."""
        window, verdict = self._window, self.verdict
        if window is None or verdict is None:
            return
        window.measure(self._clock())
        present = record(window.new, window.stretches)
        reason = breach(window.old, present.since(window.before))
        if reason:
            self._leave(window, verdict, reason)
        elif datetime.now(UTC) >= verdict.until:
            log.info("%s passed its bake window", verdict.version)
            self._close(window, verdict, State.PASSED)

    def _leave(self, window: _Window, verdict: Verdict, reason: str) -> None:
        verdict.reason = reason
        if self._go_back(f"{verdict.version} was left again: {reason}"):
            self._close(window, verdict, State.RETURNED)
            self.returned(verdict)
            return
        verdict.reason = f"{reason}; there is nothing in memory to go back to"
        log.error("%s should be left: %s", verdict.version, verdict.reason)
        self._close(window, verdict, State.WATCHING)

    def _close(self, window: _Window, verdict: Verdict, state: State) -> None:
        window.new.looks.in_passing()
        self._window = None
        verdict.state = state
        self._changed()


def record(servable: Servable, stretches: tuple[float, ...] = ()) -> Record:
    """Return how a servable did until now."""
    statistics = servable.statistics
    quantiles = statistics.quantiles()
    return Record(
        statistics.requests,
        statistics.errors,
        quantiles[1] if quantiles else None,
        stretches,
        servable.looks.snapshot(),
    )
