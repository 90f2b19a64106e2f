"""The end of a log file, and what is added to it."""

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

_LOOK_SECONDS = 0.2


def tail(path: Path, *, lines: int, follow: bool) -> Iterator[str]:
    """Yield the last `lines` lines, then, with `follow`, every line that is written."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in deque(file, maxlen=lines):
            yield line.rstrip("\n")
        partial = ""
        while follow:
            partial += file.readline()
            if partial.endswith("\n"):
                yield partial.rstrip("\n")
                partial = ""
            else:
                time.sleep(_LOOK_SECONDS)
