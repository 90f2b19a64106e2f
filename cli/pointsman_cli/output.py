"""What a command says: data on stdout, the story on stderr, in one of three voices.

Human (Rich), `--json` (exactly one document on stdout), quiet (data, warnings and errors only).
Nothing that others wrote reaches a terminal as a control sequence.
"""

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from pointsman_cli.units import clean

if TYPE_CHECKING:
    from rich.console import Console

    from pointsman.errors import PointsmanError


_SELDOM_SECONDS = 30.0


class Transfer(Protocol):
    """What hears how far publishing is."""

    def step(self, text: str) -> None:
        """Learn that a stage begins."""

    def expect(self, name: str, size: int) -> None:
        """Learn of a file and its bytes."""

    def advance(self, name: str, count: int) -> None:
        """Learn that bytes of it are on their way."""


class Unwatched:
    """A transfer that only tells its stages."""

    def __init__(self, step: Callable[[str], None]) -> None:
        self.step = step

    def expect(self, name: str, size: int) -> None:
        """Ignore it."""

    def advance(self, name: str, count: int) -> None:
        """Ignore it."""


class Seldom:
    """Tells how a long wait goes where nothing can be redrawn: in a log, not every word of it."""

    def __init__(
        self, step: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._step = step
        self._clock = clock
        self._told_at = clock()

    def __call__(self, text: str) -> None:
        """Tell it, if nothing was told for half a minute."""
        if self._clock() - self._told_at >= _SELDOM_SECONDS:
            self._told_at = self._clock()
            self._step(text)


class Drawing(Protocol):
    """Something that moves on the terminal, and can be stopped."""

    def stop(self) -> None:
        """Stop moving, and give the cursor back."""


class Output:
    """One command's voice."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.unheard = False
        """Whether the reader of stdout has gone; who tells without end should stop."""
        self._talks = not quiet and not as_json
        self._documented = False
        self._drawing: Drawing | None = None

    def step(self, text: str) -> None:
        """Tell what is being done."""
        if self._talks:
            self._tell("", text, "dim")

    def success(self, text: str) -> None:
        """Tell what was achieved, in one line."""
        if self._talks:
            self._tell("[green]✓[/] ", text)

    def warn(self, text: str, advice: str = "") -> None:
        """Tell what the operator should know, and what to do about it; never suppressed."""
        self._tell("[yellow]![/] ", text)
        for line in advice.splitlines():
            self._tell("  ", line)

    def result(self, document: Any) -> None:
        """Give the one document of `--json`, once; in other voices, nothing."""
        if self.as_json and not self._documented:
            self._documented = True
            self._write(json.dumps(document, indent=2, ensure_ascii=False))

    def data(self, text: str) -> None:
        """Give a line of data; nothing where a document is given."""
        if not self.as_json:
            self._write(clean(text))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Give rows of data; without columns, no header. Folds cells on a narrow terminal."""
        if not self.as_json:
            from pointsman_cli.table import rendered

            self._write(rendered(columns, rows))

    def error(self, error: "PointsmanError", facts: Mapping[str, Any] | None = None) -> None:
        """Say what happened and what to do next; `facts` are what was achieved before."""
        if self._drawing is not None:
            self._drawing.stop()
        document = {**(facts or {}), **getattr(error, "document", {})}
        self.result(document | {"error": error.message, "hint": error.hint})
        self._tell("[bold red]error:[/] ", error.message)
        if error.hint:
            for line in error.hint.splitlines():
                self._tell("       ", line)

    def live_console(self) -> "Console | None":
        """Return where something may redraw itself; None where nobody watches."""
        return self._err if self._draws else None

    @contextmanager
    def transfer(self) -> Iterator[Transfer]:
        """Show stages, and a bar while bytes are moving; on a terminal, that is."""
        if not self._draws:
            yield Unwatched(self.step)
            return
        from pointsman_cli.progress import Stages

        stages = Stages(self._err)
        with stages.drawn() as self._drawing:
            yield stages
        self._drawing = None

    @contextmanager
    def waiting(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show that something is waited for; what is yielded changes the words.

        Where nothing can move, the words are a line of the story every half minute.
        """
        if not self._draws:
            yield Seldom(self.step)
            return
        from rich.text import Text

        with self._err.status(Text(clean(text))) as self._drawing:
            status = self._drawing
            yield lambda text: status.update(Text(clean(text)))
        self._drawing = None

    def _tell(self, mark: str, text: str, style: str = "") -> None:
        from rich.text import Text

        line = Text.from_markup(mark)
        line.append(clean(text))
        self._err.print(line, style=style or None, highlight=False)

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # `… | head` has seen enough: that is nobody's failure.
            self.unheard = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    @property
    def _draws(self) -> bool:
        return self._talks and self._err.is_terminal and not self._err.is_dumb_terminal

    @functools.cached_property
    def _err(self) -> "Console":
        from pointsman_cli.terminal import story

        return story()
