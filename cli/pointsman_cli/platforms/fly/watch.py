"""A release on its way: what flyctl says, and what its machines do meanwhile.

flyctl waits its whole wait time for a machine whose program has ended. Here that is noticed by
the machine's events, and flyctl is interrupted: with the bluegreen strategy it then removes what
it made, and the old machines were never touched.
"""

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from pointsman_cli.errors import CommandError
from pointsman_cli.platforms.fly import commands, machines, reply
from pointsman_cli.platforms.fly.flyctl import Flyctl
from pointsman_cli.platforms.fly.machines import Exit, FlyMachine
from pointsman_cli.platforms.fly.progress import Progress
from pointsman_cli.process import Line, Streaming

_FIRST_LOOK_SECONDS = 0.25
_LOOK_SECONDS = 2.0
"""Fly allows one request a second and app, and flyctl makes its own."""
_WAIT_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Before:
    """How the app stood before a release."""

    machines: tuple[FlyMachine, ...] = ()
    release: int = 0
    image: str = ""
    """The image of the last release that served; "" when there was none."""

    @property
    def since(self) -> int:
        """The first moment after everything that had happened, in milliseconds by Fly's clock."""
        return machines.newest_event(self.machines) + 1


@dataclass(slots=True)
class Watched:
    """How a release ended, as far as flyctl and the machines tell."""

    code: int | None = None
    """flyctl's exit code; None where it was interrupted."""
    emitted: reply.Emitted | None = None
    said: str = ""
    """The last lines of its standard error, or of all it said."""
    crashed: tuple[FlyMachine, Exit] | None = None
    machines: tuple[FlyMachine, ...] = field(default=())


def watch(
    fly: Flyctl, app: str, arguments: commands.Arguments, before: Before, progress: Progress
) -> Watched:
    """Run a release to its end, or until one of its machines gives up."""
    watched = Watched()
    with fly.stream(arguments) as streaming:
        told = _Told(streaming)
        looks = _looks()
        while not told.ended:
            for line in told.lines():
                watched.emitted = reply.emitted(line.text) or watched.emitted
                progress.line(line.text)
            if not next(looks):
                continue
            _look(fly, app, before, watched)
            progress.machines(watched.machines)
            if watched.crashed:
                return watched
        for line in told.lines():
            watched.emitted = reply.emitted(line.text) or watched.emitted
        watched.code = streaming.code
        watched.said = streaming.said(errors_only=True) or streaming.said()
    _look(fly, app, before, watched)
    progress.machines(watched.machines)
    return watched


def listed(fly: Flyctl, app: str) -> tuple[FlyMachine, ...]:
    """Return the app's machines that a deployment looks after."""
    return tuple(machines.deployed(fly.ask(commands.machines(app), machines.decoded)))


def _look(fly: Flyctl, app: str, before: Before, watched: Watched) -> None:
    try:
        watched.machines = listed(fly, app)
    except CommandError:
        return  # too many requests, or Fly hiccups: the release goes on, and so does looking
    for each in watched.machines:
        if each.release > before.release and (ended := machines.crash(each, before.since)):
            watched.crashed = (each, ended)


def _looks() -> Iterator[bool]:
    """Yield whether it is time to look: soon at first, then at the pace that Fly allows."""
    pause, last = _FIRST_LOOK_SECONDS, time.monotonic()
    while True:
        if time.monotonic() - last < pause:
            time.sleep(_WAIT_SECONDS)
            yield False
        else:
            yield True
            pause, last = min(2 * pause, _LOOK_SECONDS), time.monotonic()


class _Told:
    """Lines of a program, collected in the background, so that nobody waits for the next one."""

    def __init__(self, streaming: Streaming) -> None:
        self._streaming = streaming
        self._lines: queue.Queue[Line] = queue.Queue()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the program has ended."""
        return not self._thread.is_alive()

    def lines(self) -> Iterator[Line]:
        """Yield what was said since the last time."""
        while not self._lines.empty():
            yield self._lines.get()

    def _collect(self) -> None:
        for line in self._streaming.lines:
            self._lines.put(line)
