"""What moves on a terminal while bytes do: a spinner per stage, then one bar for all bytes."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from pointsman_cli.units import clean


class Stages:
    """A `Transfer` that draws. Bytes may be reported from several threads."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True
        )
        self._task = self._progress.add_task("", total=None)
        self._stage = ""
        self._total = 0

    def step(self, text: str) -> None:
        """Begin a stage."""
        self._stage = f"{text} "
        self._progress.update(self._task, description=_plain(f"{text} …"))

    def expect(self, name: str, size: int) -> None:
        """Count a file in, and show from now on how many bytes are on their way."""
        del name
        if not self._total:
            self._progress.columns = (
                *self._progress.columns,
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
            )
        self._total += size
        self._progress.update(self._task, total=self._total)

    def advance(self, name: str, count: int) -> None:
        """Move the bar, and name the file that moved it."""
        self._progress.update(self._task, description=_plain(self._stage + name), advance=count)

    @contextmanager
    def drawn(self) -> Iterator[Progress]:
        """Draw while the block runs, and leave nothing behind."""
        with self._progress:
            yield self._progress


def _plain(text: str) -> str:
    """Keep brackets in file names from being read as markup."""
    return Text(clean(text)).markup
