"""`file://`: a directory as a store, safe for several processes on one machine.

obstore reads; writes are ours, because a directory has no compare-and-swap of its own and
because a version must survive a power cut once its manifest is visible. A write is staged in
`.pointsman/` and takes its name when it is on the disk. The directory is made by the first
write, so that reading from a mistyped path leaves nothing behind.
"""

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from obstore.store import LocalStore as Directory
from obstore.store import MemoryStore

from pointsman import staging
from pointsman.digest import verified_parts
from pointsman.errors import (
    ObjectNotFound,
    PreconditionFailed,
    StoreDenied,
    StoreError,
    StoreMisconfigured,
)
from pointsman.hashing import Fingerprint
from pointsman.stores.adapter import PART_BYTES, ObstoreAdapter
from pointsman.stores.base import OnBytes

_WORK = ".pointsman"
_LOCK_TIMEOUT_SECONDS = 30
_ETAG_TICK_NANOSECONDS = 1_000
_SYSTEM_ERROR = re.compile(r"\(os error ([0-9]+)\)")


class LocalStore(ObstoreAdapter):
    """A directory; locks and half-written files live in its `.pointsman/`."""

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
        self._write(key, [data], staging.claim)

    def overwrite(self, key: str, data: bytes) -> None:
        """Write a document, whatever is there."""
        self._write(key, [data], staging.replace)

    def upload(
        self,
        key: str,
        path: Path,
        sha256: str,
        on_bytes: OnBytes,
        fingerprint: Fingerprint | None = None,
    ) -> None:
        """Write a blob from a file; it appears only when complete.

        Raises `InvalidModel` when the file has other bytes than `sha256` promises.
        """
        staging.sweep(self._work)
        parts = verified_parts(path, sha256, PART_BYTES, on_bytes, fingerprint)
        self._write(key, parts, staging.replace)

    def update(self, key: str, data: bytes, etag: str) -> None:
        """Replace a document that still has `etag`; raises `PreconditionFailed` if not.

        A missing document fails the precondition too, as it does on S3.
        """

        def swap(temporary: Path, path: Path) -> None:
            with self._locked(key):
                if self._etag(key) != etag:
                    raise PreconditionFailed(f"{key} in {self._url} changed since it was read")
                _make_later(temporary, than=path)
                staging.replace(temporary, path)

        self._write(key, [data], swap)

    def _write(
        self, key: str, parts: Iterable[bytes], finish: Callable[[Path, Path], None]
    ) -> None:
        path = self._root / key
        with self._translated("write", key):
            self._work.mkdir(parents=True, exist_ok=True)
            with staging.staged(self._work) as temporary:
                with temporary.open("xb") as file:
                    file.writelines(parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                finish(temporary, path)

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        # A key can be longer than a file's name may be; its digest cannot.
        name = hashlib.sha256(key.encode()).hexdigest()
        from filelock import FileLock  # only who changes channels here needs it

        with FileLock(self._work / f"{name}.lock", timeout=_LOCK_TIMEOUT_SECONDS):
            yield

    def _etag(self, key: str) -> str | None:
        try:
            return self.head(key).etag
        except ObjectNotFound:
            return None

    def _translate(self, verb: str, key: str, error: Exception) -> StoreError:
        # What obstore has no kind for, it passes on with the system's number in its text.
        if not isinstance(error, OSError) and (number := _SYSTEM_ERROR.search(str(error))):
            error = OSError(int(number[1]), os.strerror(int(number[1])))
        match error:
            case FileNotFoundError() | FileExistsError():
                return super()._translate(verb, key, error)
            case PermissionError():
                return StoreDenied(
                    f"this user may not {verb} {key} in {self._url}",
                    f"Check the owner and the mode of {self._root}.",
                )
            case OSError(strerror=str(reason)):
                return StoreMisconfigured(
                    f"cannot {verb} {key} in {self._url}: {reason}",
                    f"{self._root} must be a directory that can be written, with space left.",
                )
        return super()._translate(verb, key, error)


def _make_later(path: Path, than: Path) -> None:
    """Date `path` after `than`, so that a key never has the same ETag twice.

    The ETag is made of inode, modification time and size. A freed inode is soon used again, and
    a clock that ticks every few milliseconds gives two quick writes the same time.
    """
    earliest = than.stat().st_mtime_ns + _ETAG_TICK_NANOSECONDS
    moment = max(time.time_ns(), earliest)
    os.utime(path, ns=(moment, moment))
