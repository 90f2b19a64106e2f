"""Rows of text in columns: folded to a terminal's width, and as wide as they are in a pipe."""

import io
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pointsman_cli.terminal import colours
from pointsman_cli.units import clean

_WIDER_THAN_ANY = 100_000


def rendered(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the table as it is to be written to stdout; no header without `columns`."""
    table = Table(
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="bold",
        show_header=bool(columns),
    )
    for number in range(len(columns or (rows[0] if rows else ()))):
        # What stands first is what one copies: it is never broken.
        table.add_column(columns[number] if columns else "", overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    console = _console()
    console.print(table)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in lines)


def _console() -> Console:
    """Return a console that renders for stdout without writing to it."""
    if not sys.stdout.isatty():
        return Console(file=io.StringIO(), width=_WIDER_THAN_ANY, highlight=False)
    width = Console().width
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        color_system=colours(),
        width=width,
        highlight=False,
    )
