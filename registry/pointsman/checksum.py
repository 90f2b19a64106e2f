"""Checksums: whether bytes are those that a manifest promises for a file.

SHA-256 is what a file is called by, and every manifest has it. BLAKE3 is as strong and several
times as fast; of large files a manifest has both, and a reader goes by the faster. Where the
library is missing, or the manifest is an early one, it goes by SHA-256.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from mmap import mmap
from pathlib import Path
from typing import Any, Protocol

from pointsman.manifest import File

LEAST_BYTES = 1 << 20
"""Of smaller files SHA-256 is quick enough: the library need not even be imported for them."""

_CHUNK = 1 << 20


class Checksum(Protocol):
    """Bytes go in, and in the end come to something."""

    def update(self, data: bytes | memoryview | mmap, /) -> object:
        """Take the next bytes."""
        ...

    def hexdigest(self) -> str:
        """Return what they came to, 64 hexadecimal digits."""
        ...


def expected(file: File) -> tuple[Checksum, str]:
    """Return what computes the checksum of a file, and what it has to come to."""
    fast = blake3() if file.blake3 else None
    return (fast, file.blake3) if fast else (hashlib.sha256(), file.sha256)


def is_intact(path: Path, file: File) -> bool:
    """Tell whether there is a file of the promised size, with the promised bytes."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    checksum, promised = expected(file)
    for part in parts(path):
        checksum.update(part)
    return checksum.hexdigest() == promised


def parts(path: Path) -> Iterator[memoryview]:
    """Yield a file in parts, each of which is overwritten by the next."""
    view = memoryview(bytearray(_CHUNK))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(view):
            yield view[:count]


def blake3() -> Checksum | None:
    """Return a new BLAKE3, if there is the library."""
    made = _library()
    checksum: Checksum | None = made() if made else None
    return checksum


@cache
def _library() -> Any:
    try:
        from blake3 import blake3 as made
    except ImportError:  # it is not built for every interpreter
        return None
    return made
