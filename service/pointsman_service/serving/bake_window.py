"""The bake window: for a while after a switch, the new version is watched, and left if it is worse.

Nobody else would notice: platforms that probe a service's health at all ask whether it answers, and
not what. Who decided to go back is not put in question, and neither is the first version of all.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pointsman_service.serving.bake import Record, breach
from pointsman_service.serving.servable import Servable

_LOOK_SECONDS = 0.5

log = logging.getLogger(__name__)


class State(StrEnum):
    """How a window stands."""

    WATCHING = "watching"
    PASSED = "passed"
    RETURNED = "returned"


@dataclass(slots=True)
class Verdict:
    """The last window: which version, how it stands, why, and until when."""

    version: str
    digest: str
    until: datetime
    state: State = State.WATCHING
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Window:
    new: Servable
    before: Record
    old: Record


class BakeWindow:
    """Watches what was switched to, until cancelled."""

    def __init__(
        self,
        seconds: float,
        go_back: Callable[[str], bool],
        changed: Callable[[], None],
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        """Watch for `seconds` (0: never); `go_back` tells whether it could."""
        self._seconds = seconds
        self._go_back = go_back
        self._changed = changed
        self._look_seconds = look_seconds
        self._window: _Window | None = None
        self._begun = asyncio.Event()
        self.verdict: Verdict | None = None
        self.returned: Callable[[Verdict], None] = lambda _: None
        """Called after a version was left."""

    def begin(self, new: Servable, old: Servable) -> None:
        """Watch `new`, which answers instead of `old` from now on."""
        if not self._seconds:
            return
        self._window = _Window(new, record(new), record(old))
        new.looks.at_all()
        new.looks.afresh()
        until = datetime.now(UTC) + timedelta(seconds=self._seconds)
        self.verdict = Verdict(new.name, new.version.digest, until)
        self._begun.set()

    def end(self) -> None:
        """Stop watching: something else answers."""
        if self._window is not None:
            self._window.new.looks.at_some()
            self._window = None
            self.verdict = None

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
        reason = breach(window.old, record(window.new).since(window.before))
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
        window.new.looks.at_some()
        self._window = None
        verdict.state = state
        self._changed()


def record(servable: Servable) -> Record:
    """Return how a servable did until now."""
    statistics = servable.statistics
    quantiles = statistics.quantiles()
    return Record(
        statistics.requests,
        statistics.errors,
        quantiles[1] if quantiles else None,
        servable.looks.snapshot(),
    )
