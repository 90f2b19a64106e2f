"""What is remembered of a local deployment between commands, and what still runs of it.

The record is written before anything is started, and processes are found by what they were
started with: so a command that is killed at any moment leaves nothing running that the next one
could not find, and a process id that was given to somebody else since leads nobody astray.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from pointsman import staging
from pointsman_cli import process

SUPERVISOR = "pointsman_cli.platforms.supervisor"
_FILE = "deployment.json"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A local deployment; its `instance` is random, and names its processes too."""

    instance: str
    url: str
    host: str
    port: int
    store: str
    fleet: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A deployment of which something runs: supervisor and service, or what is left of them."""

    record: Record
    processes: tuple[psutil.Process, ...]
    supervisor: psutil.Process | None

    @property
    def pid(self) -> int:
        """The process id that stands for the deployment."""
        return (self.supervisor or self.processes[0]).pid


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


def marks(directory: Path, record: Record) -> tuple[str, str, str]:
    """Return what the supervisor's argument list ends with."""
    return SUPERVISOR, str(directory), record.instance


def running(directory: Path) -> Running | None:
    """Return the deployment on record, if anything of it runs."""
    record = read(directory)
    if record is None:
        return None
    found = tuple(process.having("POINTSMAN_INSTANCE", record.instance))
    supervisors = [each for each in found if process.ends_with(each, marks(directory, record))]
    return Running(record, found, supervisors[0] if supervisors else None) if found else None


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
