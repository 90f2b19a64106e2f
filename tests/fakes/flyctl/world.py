"""What Fly knows, in one file: apps, releases, machines, images; and the knobs that tests turn."""

import fcntl
import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class World:
    """The file; several processes of the stand-in may work on it at once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._path = directory / "world.json"

    def make(self) -> None:
        """Begin with one organization, and nothing in it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        empty = {"apps": {}, "orgs": {"personal": "Me"}, "taken": [], "local": {}, "registry": {}}
        self._path.write_text(json.dumps(empty | {"knobs": {}, "calls": [], "served": []}))

    def read(self) -> Document:
        """Return everything as it is."""
        with self._path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            document: Document = json.load(file)
            return document

    @contextmanager
    def changing(self) -> Iterator[Document]:
        """Yield everything, and write down what the block made of it."""
        with self._path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            document = json.load(file)
            yield document
            text = json.dumps(document)
            # Ctrl-C in the middle of this would leave half a world.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                file.seek(0)
                file.truncate()
                file.write(text)
                file.flush()
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    def knob(self, name: str, otherwise: Any = None) -> Any:
        """Return how a knob is turned."""
        return self.read()["knobs"].get(name, otherwise)


def now() -> int:
    """Return the time as Fly's events have it."""
    return time.time_ns() // 1_000_000
