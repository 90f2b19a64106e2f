"""What a store can do: the vocabulary every backend speaks.

Documents are small and read whole; blobs are large, immutable and named by their digest. A
write either happens whole or not at all. Whatever a backend's library raises leaves a store
only as one of `pointsman.errors`:

- `ObjectNotFound`, `ObjectExists`, `PreconditionFailed` are regular answers;
- `StoreDenied` and `StoreMisconfigured` will not change by trying again;
- `StoreUnreachable` leaves the outcome of a write unknown: read again before concluding.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from pointsman.hashing import Fingerprint

OnBytes = Callable[[int], None]


class ObjectInfo(msgspec.Struct, frozen=True):
    """An object without its bytes; `modified` is by the store's clock.

    `etag` is the store's own token of this state of the object: opaque, to be given back to `get`
    and `update`. Those of `scan` may be incomplete.
    """

    key: str
    size: int
    etag: str
    modified: datetime


class StoredObject(msgspec.Struct, frozen=True):
    """An object with its bytes."""

    data: bytes
    info: ObjectInfo


class Span(msgspec.Struct, frozen=True):
    """`length` bytes of a blob from `start`, and where they go: an open file, a position in it."""

    start: int
    length: int
    descriptor: int
    position: int

    def after(self, count: int) -> "Span":
        """Return what is left of it after `count` bytes."""
        return Span(self.start + count, self.length - count, self.descriptor, self.position + count)


class ObjectStore(Protocol):
    """One bucket and prefix, or one directory."""

    @property
    def url(self) -> str:
        """Where this is, fit to be shown: it holds no secret."""
        ...

    def get(self, key: str, etag: str | None = None) -> StoredObject | None:
        """Read a document of at most 4 MiB; None when it still has the given `etag`."""
        ...

    def get_range(self, key: str, span: Span, on_bytes: OnBytes) -> int:
        """Bring a span of a blob into a file, piece by piece as it arrives.

        Returns how many bytes there were: fewer than asked for where the blob ends earlier. What
        `on_bytes` raises, which hears of each piece, ends it.
        """
        ...

    def head(self, key: str) -> ObjectInfo:
        """Describe an object without reading it."""
        ...

    def scan(self, prefix: str) -> Iterator[ObjectInfo]:
        """List every object under `prefix`, which ends with a slash."""
        ...

    def folders(self, prefix: str) -> list[str]:
        """List the names directly under `prefix` that lead further."""
        ...

    def create(self, key: str, data: bytes) -> None:
        """Write a document that must not be there yet; raises `ObjectExists` if it is."""
        ...

    def update(self, key: str, data: bytes, etag: str) -> None:
        """Replace a document that still has `etag`; raises `PreconditionFailed` if not."""
        ...

    def overwrite(self, key: str, data: bytes) -> None:
        """Write a document, whatever is there."""
        ...

    def upload(
        self,
        key: str,
        path: Path,
        sha256: str,
        on_bytes: OnBytes,
        fingerprint: Fingerprint | None = None,
    ) -> None:
        """Write a blob from a file in bounded memory; it appears only when complete.

        Raises `InvalidModel` when the file has other bytes than `sha256` promises; see
        `hashing.verified_parts` for the `fingerprint`. What `on_bytes` raises ends the upload.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is not an error."""
        ...

    def now(self) -> datetime:
        """Return the present time by the store's own clock."""
        ...
