"""Hashing a file once, and recognising later that it is still the same."""

import os
import time
from pathlib import Path

import msgspec

from pointsman.digest import changed, file_sha256

_SETTLED_NANOSECONDS = 2_000_000_000


class Fingerprint(msgspec.Struct, frozen=True):
    """By which a file is recognised as the one that was hashed, without reading it again.

    A write through a memory map that began before may escape it, as it escapes every tool that
    goes by time stamps; whoever reads the version compares digests, and would refuse the bytes.
    """

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    def matches(self, path: Path) -> bool:
        """Tell whether the file is still the same."""
        return _fingerprint(path.stat()) == self


class Hashed(msgspec.Struct, frozen=True):
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
        raise changed(path)
    # Clocks of file systems tick slowly: within a tick, a second write would look like the first.
    settled = started - max(before.modified_ns, before.changed_ns) > _SETTLED_NANOSECONDS
    return Hashed(sha256, before.size, before if settled else None)


def _fingerprint(status: os.stat_result) -> Fingerprint:
    return Fingerprint(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )
