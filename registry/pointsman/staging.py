"""Files that take their name only when they are whole, and keep it through a power cut."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = ".staged-"


@contextmanager
def staged(directory: Path) -> Iterator[Path]:
    """Yield a free name in `directory`; whatever still has it at the end is removed."""
    path = directory / f"{PREFIX}{secrets.token_hex(8)}"
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


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
