"""SHA-256 digests: how files, manifests and therefore versions are identified.

A file's digest is bare hexadecimal (it is part of a key); a manifest's is written
`sha256:<hex>` (it is an identity that people and documents quote).
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from pointsman.errors import InvalidDocument, InvalidModel

_IDENTITY = re.compile(r"sha256:[0-9a-f]{64}")


def identity(data: bytes) -> str:
    """Return the `sha256:<hex>` that identifies `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def hex_of(digest: str) -> str:
    """Return the hexadecimal part of `sha256:<hex>`; raises `InvalidDocument` for anything else."""
    if not _IDENTITY.fullmatch(digest):
        raise InvalidDocument(f"{digest!r} is not a digest of the form sha256:<64 hex digits>")
    return digest.removeprefix("sha256:")


class Recognisable(Protocol):
    """What a file was when it was hashed; see `pointsman.hashing`."""

    def matches(self, path: Path) -> bool:
        """Tell whether it is still the same."""
        ...


def verified_parts(
    path: Path,
    sha256: str,
    size: int,
    on_bytes: Callable[[int], None],
    fingerprint: Recognisable | None = None,
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
        same = fingerprint is None or fingerprint.matches(path)
    except OSError as error:
        raise InvalidModel(f"cannot read {path}: {error.strerror}") from error
    if not same or (digest is not None and digest.hexdigest() != sha256):
        raise changed(path)


def changed(path: Path) -> InvalidModel:
    """Return the error for a file that is not what it was."""
    return InvalidModel(
        f"{path} changed while it was being published", "Publish it again once it is complete."
    )
