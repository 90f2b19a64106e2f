"""What is remembered of a local deployment between commands, and whether it still runs.

The command writes the record before it starts anything, and the supervisor enters itself: so
a command that is killed at any moment leaves nothing running that the next one could not find.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil

from pointsman import staging
from pointsman_cli import process

SUPERVISOR = "pointsman_cli.platforms.supervisor"
_FILE = "deployment.json"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A local deployment; `pid` is its supervisor's, 0 until that has begun."""

    instance: str
    url: str
    host: str
    port: int
    store: str
    fleet: str = ""
    pid: int = 0


def read(directory: Path) -> Record | None:
    """Return the record in `directory`; None when there is none that can be read."""
    try:
        return msgspec.json.decode((directory / _FILE).read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError):
        return None


def write(directory: Path, record: Record) -> None:
    """Remember a deployment; what is read is always whole."""
    staging.write(directory / _FILE, msgspec.json.encode(record))


def forget(directory: Path) -> None:
    """Remove the record."""
    (directory / _FILE).unlink(missing_ok=True)


@contextmanager
def held(directory: Path, occupied: Callable[[], None]) -> Iterator[None]:
    """Keep other commands from changing the same deployment; `occupied` hears of having to wait."""
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            occupied()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_supervised(directory: Path, record: Record) -> bool:
    """Tell whether the supervisor on record runs: it, and not who got its process id later."""
    return process.runs(record.pid, SUPERVISOR, str(directory), record.instance)


def processes(record: Record) -> list[psutil.Process]:
    """Return the supervisor and its service, or what is left of them."""
    return process.session(record.pid, ("POINTSMAN_INSTANCE", record.instance))
