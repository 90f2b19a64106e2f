"""`file://`: a directory as a store, safe for several processes on one machine.

obstore writes each object beside its place and renames it. What it lacks for directories is
compare-and-swap; here it is a lock, a comparison, and a durable rename. The directory is made by
the first write, so that reading from a mistyped path leaves nothing behind.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from filelock import FileLock
from obstore.store import LocalStore as Directory
from obstore.store import MemoryStore

from pointsman.errors import ObjectNotFound, PreconditionFailed, StoreMisconfigured
from pointsman.stores.adapter import ObstoreAdapter
from pointsman.stores.base import OnBytes

_WORK = ".pointsman"


class LocalStore(ObstoreAdapter):
    """A directory; locks and half-written documents live in its `.pointsman/`."""

    def __init__(self, root: Path) -> None:
        if root.exists() and not root.is_dir():
            raise StoreMisconfigured(f"{root} is a file; a store is a directory")
        super().__init__(root.as_uri())
        self._root = root
        self._work = root / _WORK
        self._directory: Directory | None = None

    @property
    def _client(self) -> Any:
        if self._directory is None and self._root.is_dir():
            self._directory = Directory(self._root)
        return self._directory or MemoryStore()

    def create(self, key: str, data: bytes) -> None:
        """Write a document that must not be there yet; raises `ObjectExists` if it is."""
        self._make_root(key)
        super().create(key, data)

    def update(self, key: str, data: bytes, etag: str) -> None:
        """Replace a document that still has `etag`; raises `PreconditionFailed` if not.

        A missing document fails the precondition too, as it does on S3.
        """
        with self._translated("write", key):
            self._work.mkdir(parents=True, exist_ok=True)
            with FileLock(self._work / f"{key.replace('/', '~')}.lock"):
                if self._etag(key) != etag:
                    raise PreconditionFailed(f"{key} in {self._url} changed since it was read")
                _replace(self._root / key, data, self._work)

    def overwrite(self, key: str, data: bytes) -> None:
        """Write a document, whatever is there."""
        self._make_root(key)
        super().overwrite(key, data)

    def upload(self, key: str, path: Path, on_bytes: OnBytes) -> None:
        """Write a blob from a file; it appears only when complete."""
        self._make_root(key)
        super().upload(key, path, on_bytes)

    def _make_root(self, key: str) -> None:
        with self._translated("write", key):
            self._root.mkdir(parents=True, exist_ok=True)

    def _etag(self, key: str) -> str | None:
        try:
            return self.head(key).etag
        except ObjectNotFound:
            return None


def _replace(path: Path, data: bytes, work: Path) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=work)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
