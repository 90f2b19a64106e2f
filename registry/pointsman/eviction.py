"""What a cache gives up when room is short: the versions that were asked for longest ago.

Never a version that any process holds, and never one that was served last in some channel: a
machine that starts without its store needs that. Who uses a version holds it by a shared lock,
which ends with the process, however that ends; only what can be locked alone is removed.
"""

import fcntl
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from pointsman.digest import hex_of

PART = ".part"
"""What the name of a blob that is being fetched ends with."""
_SPARE_SHARE = 20
_SPARE_BYTES = 1 << 30
_AT_ONCE = fcntl.LOCK_EX | fcntl.LOCK_NB


class Holds:
    """The versions that this process uses; safe for several threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = Lock()
        self._held: dict[str, int] = {}

    def add(self, digest: str) -> None:
        """Hold a version from now on; waits while another process is removing it."""
        with self._lock:
            if digest not in self._held:
                self._held[digest] = _locked(_hold(self._root, digest), fcntl.LOCK_SH)

    def keep(self, digests: Collection[str]) -> None:
        """Hold these, and let go of all others."""
        for digest in digests:
            self.add(digest)
        with self._lock:
            for digest in self._held.keys() - set(digests):
                os.close(self._held.pop(digest))

    def __del__(self) -> None:
        for descriptor in self._held.values():
            os.close(descriptor)


def make_room(root: Path, wanted: int, most_bytes: int = 0) -> list[str]:
    """Remove versions until `wanted` bytes more fit; return the digests of those removed.

    They fit when the cache then has at most `most_bytes` (0: any number) and the disk keeps a
    twentieth of its room free, or 1 GiB. What is in use may be more than that: it stays.
    """
    removed: list[str] = []
    if _fits(root, wanted, most_bytes):
        return removed
    _sweep(root)
    for digest in _oldest_first(root):
        if _fits(root, wanted, most_bytes):
            break
        if digest not in _served_last(root) and _remove(root, digest):
            removed.append(digest)
    return removed


def _fits(root: Path, wanted: int, most_bytes: int) -> bool:
    if most_bytes and _size(root) + wanted > most_bytes:
        return False
    disk = shutil.disk_usage(root)
    return disk.free - wanted >= min(disk.total // _SPARE_SHARE, _SPARE_BYTES)


def _size(root: Path) -> int:
    total = 0
    for path in (root / "blobs").glob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _oldest_first(root: Path) -> list[str]:
    """Return the digests of the versions here, by when they were last asked for."""
    found = []
    for directory in (root / "versions").glob("*"):
        manifest = root / "manifests" / f"{directory.name}.json"
        with suppress(FileNotFoundError):
            # One that has no manifest was never whole.
            asked = manifest.stat().st_mtime_ns if manifest.exists() else 0
            found.append((asked, directory.name))
    return [f"sha256:{name}" for _, name in sorted(found)]


def _served_last(root: Path) -> set[str]:
    served = set()
    for path in (root / "channels").glob("*/*.version"):
        with suppress(OSError):
            served.add(path.read_text())
    return served


def _remove(root: Path, digest: str) -> bool:
    """Remove a version and what nobody else needs of it, unless somebody holds it."""
    try:
        descriptor = _locked(_hold(root, digest), _AT_ONCE)
    except BlockingIOError:
        return False
    try:
        name = hex_of(digest)
        # First what says that the version is here: a crash leaves blobs, which the next one finds.
        (root / "manifests" / f"{name}.json").unlink(missing_ok=True)
        shutil.rmtree(root / "versions" / name, ignore_errors=True)
        _sweep(root)
    finally:
        os.close(descriptor)
    return True


def _sweep(root: Path) -> None:
    """Remove the blobs that no version's directory links to, and parts that a crash left."""
    for path in (root / "blobs").glob("[0-9a-f]*"):
        with suppress(BlockingIOError, FileNotFoundError), blob_lock(path, _AT_ONCE):
            if path.stat().st_nlink == 1:
                path.unlink()
    for path in (root / "blobs").glob(f".*{PART}"):
        blob = path.with_name(path.name.removeprefix(".").removesuffix(PART))
        with suppress(BlockingIOError, FileNotFoundError), blob_lock(blob, _AT_ONCE):
            path.unlink()


@contextmanager
def blob_lock(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Keep others from fetching, linking or removing a blob; see `fcntl.flock` for `how`."""
    descriptor = _locked(path.with_name(f".{path.name}.lock"), how)
    try:
        yield
    finally:
        os.close(descriptor)


def _hold(root: Path, digest: str) -> Path:
    return root / "holds" / hex_of(digest)


def _locked(path: Path, how: int) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
