"""SHA-256 digests: how files, manifests and therefore versions are identified.

A file's digest is bare hexadecimal (it is part of a key); a manifest's is written
`sha256:<hex>` (it is an identity that people and documents quote).
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pointsman.errors import InvalidDocument, InvalidModel

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


def verified_parts(
    path: Path, sha256: str, size: int, on_bytes: Callable[[int], None]
) -> Iterator[bytes]:
    """Yield a file in parts of `size` bytes, telling `on_bytes` of each that was taken.

    Raises `InvalidModel` instead of ending when they are not the bytes that `sha256` promises,
    so that whoever writes them elsewhere never completes.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(size):
                digest.update(part)
                yield part
                on_bytes(len(part))
    except OSError as error:
        raise InvalidModel(f"cannot read {path}: {error.strerror}") from error
    if digest.hexdigest() != sha256:
        raise InvalidModel(
            f"{path} changed while it was being published", "Publish it again once it is complete."
        )
