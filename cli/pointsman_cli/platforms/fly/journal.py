"""The app's log, through flyctl.

`fly logs --no-tail` never ends while there are no lines, so it is given a time; and it tells all
that Fly still holds, so the last lines are picked here.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from pointsman_cli.platforms.fly import commands
from pointsman_cli.platforms.fly.flyctl import Flyctl
from pointsman_cli.platforms.fly.reply import LogReader
from pointsman_cli.process import ProgramTookTooLong, Streaming

_LAST_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Journal:
    """What an app's machines said."""

    fly: Flyctl
    app: str

    def last(self, lines: int, machine: str = "", seconds: float = _LAST_SECONDS) -> list[str]:
        """Return the last lines, of one machine or of all; none when there are none in time.

        Raises `FlyFailed` when the log may not be read.
        """
        arguments = commands.logs(self.app, machine)
        found: deque[str] = deque(maxlen=lines)
        with self.fly.stream(arguments, seconds) as streaming:
            with suppress(ProgramTookTooLong):
                found.extend(_entries(streaming))
            if streaming.code:
                raise self.fly.failed(arguments, streaming.said(errors_only=True))
        return list(found)

    def follow(self) -> Iterator[str]:
        """Yield lines as they come, until the reader has enough; raises `FlyFailed`."""
        arguments = commands.logs(self.app, follow=True)
        with self.fly.stream(arguments) as streaming:
            yield from _entries(streaming)
            if streaming.code:
                raise self.fly.failed(arguments, streaming.said(errors_only=True))


def _entries(streaming: Streaming) -> Iterator[str]:
    reader = LogReader()
    for line in streaming.lines:
        if not line.error:
            yield from reader.read(line.text + "\n")
