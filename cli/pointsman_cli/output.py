"""What a command says: data on stdout, the story on stderr, in one of three voices.

Human (Rich), `--json` (exactly one document on stdout), quiet (data and errors only).
"""

import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console

    from pointsman.errors import PointsmanError


class Transfer(Protocol):
    """What hears how far a transfer is."""

    def expect(self, name: str, size: int) -> None:
        """Learn of a file and its bytes."""

    def advance(self, name: str, count: int) -> None:
        """Learn that bytes of it are on their way."""


class Silence:
    """A transfer nobody watches."""

    def expect(self, name: str, size: int) -> None:
        """Ignore it."""

    def advance(self, name: str, count: int) -> None:
        """Ignore it."""


class Output:
    """One command's voice."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self._quiet = quiet

    def step(self, text: str) -> None:
        """Tell what is being done."""
        if not self._quiet and not self.as_json:
            self._err.print(text, style="dim", highlight=False, markup=False)

    def success(self, text: str) -> None:
        """Tell what was achieved, in one line."""
        if not self._quiet and not self.as_json:
            self._err.print(f"[green]✓[/] {_escaped(text)}", highlight=False)

    def warn(self, text: str) -> None:
        """Tell what the operator should know; never suppressed."""
        self._err.print(f"[yellow]![/] {_escaped(text)}", highlight=False)

    def result(self, document: Any) -> None:
        """Give the one document of `--json`; in other voices, nothing."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")

    def data(self, text: str) -> None:
        """Give data as it is."""
        if not self.as_json:
            sys.stdout.write(text + "\n")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Give rows of data; columns shrink only on a terminal."""
        if self.as_json:
            return
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*map(Text, row))
        width = None if sys.stdout.isatty() else 200
        Console(width=width, highlight=False).print(table)

    def error(self, error: "PointsmanError") -> None:
        """Say what happened and what to do next."""
        document = getattr(error, "document", None) or {}
        self.result(document | {"error": error.message, "hint": error.hint})
        self._err.print(f"[bold red]error:[/] {_escaped(error.message)}", highlight=False)
        if error.hint:
            self._err.print(f"       {_escaped(error.hint)}", highlight=False)

    def live_console(self) -> "Console | None":
        """Return where something may redraw itself; None where nobody watches."""
        silent = self.as_json or self._quiet or not sys.stderr.isatty()
        return None if silent else self._err

    @contextmanager
    def transfer(self) -> Iterator[Transfer]:
        """Show a bar per file while bytes are moving; nothing where nobody watches."""
        console = self.live_console()
        if console is None:
            yield Silence()
            return
        from pointsman_cli.progress import bars

        with bars(console) as transfer:
            yield transfer

    @property
    def _err(self) -> "Console":
        from rich.console import Console

        return Console(stderr=True, soft_wrap=True)


def size(count: float) -> str:
    """Render bytes for people: `4.4 kB`."""
    units = ["B", "kB", "MB", "GB", "TB"]
    power = min(int(math.log(count, 1000)), len(units) - 1) if count >= 1 else 0
    return f"{count / 1000**power:.{1 if power else 0}f} {units[power]}"


def duration(seconds: float | None) -> str:
    """Render seconds for people: `340 µs`, `12 ms`, `1.4 s`, `3 min`, `2 h`, `5 d`."""
    if seconds is None:
        return "-"
    for below, divisor, unit, digits in _DURATIONS:
        if seconds < below:
            return f"{seconds / divisor:.{digits}f} {unit}"
    return f"{seconds / 86_400:.0f} d"


_DURATIONS = (
    (0.001, 1e-6, "µs", 0),
    (1, 1e-3, "ms", 0),
    (10, 1, "s", 1),
    (120, 1, "s", 0),
    (7_200, 60, "min", 0),
    (172_800, 3_600, "h", 0),
)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
