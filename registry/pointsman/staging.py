"""Files that take their name only when they are whole, and keep it through a power cut."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = ".staged-"
_ABANDONED_SECONDS = 24 * 3600


@contextmanager
def staged(directory: Path) -> Iterator[Path]:
    """Yield a free name in `directory`; whatever still has it at the end is removed."""
    path = directory / f"{_PREFIX}{secrets.token_hex(8)}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def replace(temporary: Path, path: Path) -> None:
    """Give a finished file its name, instead of whatever has it."""
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def claim(temporary: Path, path: Path) -> None:
    """Give a finished file its name; raises `FileExistsError` when it is taken."""
    _sync(temporary)
    os.link(temporary, path)
    _sync(path.parent)


def write(path: Path, data: bytes) -> None:
    """Write a whole file, making its directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with staged(path.parent) as temporary:
        temporary.write_bytes(data)
        replace(temporary, path)


def sweep(directory: Path) -> None:
    """Remove what a crash left in `directory` at least a day ago."""
    oldest = time.time() - _ABANDONED_SECONDS
    for path in directory.glob(f"{_PREFIX}*"):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except OSError:
            continue  # someone else swept it, or it is not ours to remove


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
