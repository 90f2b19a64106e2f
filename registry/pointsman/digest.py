"""SHA-256 digests: how files, manifests and therefore versions are identified.

A file's digest is bare hexadecimal (it is part of a key); a manifest's is written
`sha256:<hex>` (it is an identity that people and documents quote).
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from pointsman.errors import InvalidDocument

_CHUNK = 1 << 20
_IDENTITY = re.compile(r"sha256:[0-9a-f]{64}")


def identity(data: bytes) -> str:
    """Return the `sha256:<hex>` that identifies `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def hex_of(digest: str) -> str:
    """Return the hexadecimal part of `sha256:<hex>`; raises `InvalidDocument` for anything else."""
    if not _IDENTITY.fullmatch(digest):
        raise InvalidDocument(f"{digest!r} is not a digest of the form sha256:<64 hex digits>")
    return digest.removeprefix("sha256:")


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
