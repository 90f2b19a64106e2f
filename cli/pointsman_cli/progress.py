"""Progress bars for transfers, one per file."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)


class Bars:
    """A `Transfer` that draws."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def expect(self, name: str, size: int) -> None:
        """Begin a bar."""
        self._tasks[name] = self._progress.add_task(name, total=size)

    def advance(self, name: str, count: int) -> None:
        """Move a bar."""
        self._progress.advance(self._tasks[name], count)


@contextmanager
def bars(console: Console) -> Iterator[Bars]:
    """Draw while the block runs."""
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(progress)
