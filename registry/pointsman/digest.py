"""SHA-256 digests: how files, manifests and therefore versions are identified.

A file's digest is bare hexadecimal (it is part of a key); a manifest's is written
`sha256:<hex>` (it is an identity that people and documents quote).
"""

import hashlib
import re

from pointsman.errors import InvalidDocument

_IDENTITY = re.compile(r"sha256:[0-9a-f]{64}")


def identity(data: bytes) -> str:
    """Return the `sha256:<hex>` that identifies `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def hex_of(digest: str) -> str:
    """Return the hexadecimal part of `sha256:<hex>`; raises `InvalidDocument` for anything else."""
    if not _IDENTITY.fullmatch(digest):
        raise InvalidDocument(f"{digest!r} is not a digest of the form sha256:<64 hex digits>")
    return digest.removeprefix("sha256:")
