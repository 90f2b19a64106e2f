"""Hashing files: once, in bounded memory, and recognising later that a file is still the same."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pointsman.errors import InvalidModel

_CHUNK = 1 << 20
_SETTLED_NANOSECONDS = 2_000_000_000


def file_sha256(path: Path, on_bytes: Callable[[int], None] | None = None) -> str:
    """Hash a file in bounded memory; `on_bytes` hears of every chunk's length."""
    digest = hashlib.sha256()
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(view[:count])
            if on_bytes is not None:
                on_bytes(count)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """By which a file is recognised as the one that was hashed, without reading it again.

    A write through a memory map that began before may escape it, as it escapes every tool that
    goes by time stamps; whoever reads the version compares digests, and would refuse the bytes.
    """

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Hashed:
    """A file's digest and size; no `fingerprint` when the file is too new to have a certain one."""

    sha256: str
    size: int
    fingerprint: Fingerprint | None


def hashed(path: Path) -> Hashed:
    """Hash a file in bounded memory, at the speed of the hash.

    Raises `InvalidModel` when it changes meanwhile.
    """
    started = time.time_ns()
    before = _fingerprint(path.stat())
    sha256 = file_sha256(path)
    if _fingerprint(path.stat()) != before:
        raise _changed(path)
    # Clocks of file systems tick slowly: within a tick, a second write would look like the first.
    settled = started - max(before.modified_ns, before.changed_ns) > _SETTLED_NANOSECONDS
    return Hashed(sha256, before.size, before if settled else None)


def verified_parts(
    path: Path,
    sha256: str,
    size: int,
    on_bytes: Callable[[int], None],
    fingerprint: Fingerprint | None = None,
) -> Iterator[bytes]:
    """Yield a file in parts of `size` bytes, telling `on_bytes` of each that was taken.

    Raises `InvalidModel` instead of ending when they are not the bytes that `sha256` promises,
    so that whoever writes them elsewhere never completes. With the `fingerprint` it had when it
    was hashed, the file is not hashed again: that it is still the same is proof enough.
    """
    digest = hashlib.sha256() if fingerprint is None else None
    try:
        with path.open("rb", buffering=0) as file:
            while part := file.read(size):
                if digest is not None:
                    digest.update(part)
                yield part
                on_bytes(len(part))
            intact = (
                _fingerprint(os.fstat(file.fileno())) == fingerprint == _fingerprint(path.stat())
                if digest is None
                else digest.hexdigest() == sha256
            )
    except OSError as error:
        raise InvalidModel(f"cannot read {path}: {error.strerror}") from error
    if not intact:
        raise _changed(path)


def _fingerprint(status: os.stat_result) -> Fingerprint:
    return Fingerprint(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def _changed(path: Path) -> InvalidModel:
    return InvalidModel(
        f"{path} changed while it was being published", "Publish it again once it is complete."
    )
