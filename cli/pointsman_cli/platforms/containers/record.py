"""What is remembered of a container between commands: where it answers, and what ran before it."""

import hashlib
from pathlib import Path

import msgspec

from pointsman import staging

_FILE = "container.json"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The container that runs, and the image that ran before it."""

    name: str
    instance: str
    url: str
    host: str
    port: int
    image: str
    previous: str = ""


def read(directory: Path) -> Record | None:
    """Return what is on record; None where nothing was deployed as a container."""
    try:
        return msgspec.json.decode((directory / _FILE).read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError):
        return None


def write(directory: Path, record: Record) -> None:
    """Remember a container; what is read is always whole."""
    staging.write(directory / _FILE, msgspec.json.encode(record))


def forget(directory: Path) -> None:
    """Remove the record."""
    (directory / _FILE).unlink(missing_ok=True)


def container_name(directory: Path) -> str:
    """Return a name that no other project, model or channel of this machine has."""
    mark = hashlib.sha256(str(directory).encode()).hexdigest()[:6]
    return f"pointsman-{directory.parent.name}-{directory.name}-{mark}"
