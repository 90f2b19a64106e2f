"""The end of a log file, and what is added to it."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

_LOOK_SECONDS = 0.2


def last_lines(path: Path, lines: int) -> list[str]:
    """Return the last `lines` lines."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return [line.rstrip("\n") for line in deque(file, maxlen=lines)]


def follow(path: Path, lines: int, goes_on: Callable[[], bool]) -> Iterator[str]:
    """Yield the last `lines` lines, then every line as it is completed.

    Ends when, with everything told, nobody will write any more or the file has gone.
    """
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        partial = ""
        for line in deque(file, maxlen=lines):
            if line.endswith("\n"):
                yield line.rstrip("\n")
            else:
                partial = line
        while True:
            # Asked before reading: what was written until the end is read after it.
            last = not goes_on() or not path.exists()
            while line := file.readline():
                partial += line
                if partial.endswith("\n"):
                    yield partial.rstrip("\n")
                    partial = ""
            if last:
                break
            time.sleep(_LOOK_SECONDS)
        if partial:
            yield partial
