"""Hashing a file once, and recognising later that it is still the same."""

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from pointsman import checksum
from pointsman.digest import changed

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
    blake3: str
    """"" for a small file: see `pointsman.checksum`."""
    size: int
    fingerprint: Fingerprint | None


def hashed(path: Path) -> Hashed:
    """Hash a file in bounded memory, at the speed of the hash.

    Raises `InvalidModel` when it changes meanwhile.
    """
    started = time.time_ns()
    before = _fingerprint(path.stat())
    sha256, blake3 = _digests(path, before.size)
    if _fingerprint(path.stat()) != before:
        raise changed(path)
    # Clocks of file systems tick slowly: within a tick, a second write would look like the first.
    settled = started - max(before.modified_ns, before.changed_ns) > _SETTLED_NANOSECONDS
    return Hashed(sha256, blake3, before.size, before if settled else None)


def _digests(path: Path, size: int) -> tuple[str, str]:
    """Compute both side by side: together they take as long as the slower, which is SHA-256."""
    sha256 = hashlib.sha256()
    fast = checksum.blake3() if size >= checksum.LEAST_BYTES else None
    with ThreadPoolExecutor(1) as pool:
        for part in checksum.parts(path):
            beside = pool.submit(fast.update, part) if fast else None
            sha256.update(part)
            if beside:
                beside.result()
    return sha256.hexdigest(), fast.hexdigest() if fast else ""


def _fingerprint(status: os.stat_result) -> Fingerprint:
    return Fingerprint(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )
