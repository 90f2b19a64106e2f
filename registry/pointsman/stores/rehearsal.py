"""A rehearsal: a store as it is, in which documents that are written are only remembered.

What would be refused is refused here, by the same rules, and nobody else sees any of it.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from pointsman.errors import ObjectExists, ObjectNotFound, PreconditionFailed
from pointsman.hashing import Fingerprint
from pointsman.stores.base import ObjectInfo, ObjectStore, OnBytes, Span, StoredObject


class Rehearsal:
    """Reads through to another store; writes stay here."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._written: dict[str, StoredObject | None] = {}

    @property
    def url(self) -> str:
        """Where the other store is."""
        return self._store.url

    def get(self, key: str, etag: str | None = None) -> StoredObject | None:
        """Read a document."""
        if key not in self._written:
            return self._store.get(key, etag)
        written = self._written[key]
        if written is None:
            raise ObjectNotFound(f"{self.url} has no {key}")
        return None if written.info.etag == etag else written

    def get_range(self, key: str, span: Span, on_bytes: OnBytes) -> int:
        """Bring a span of a blob into a file."""
        return self._store.get_range(key, span, on_bytes)

    def head(self, key: str) -> ObjectInfo:
        """Describe an object."""
        if key in self._written and (stored := self.get(key)) is not None:
            return stored.info
        return self._store.head(key)

    def scan(self, prefix: str) -> Iterator[ObjectInfo]:
        """List what the other store has."""
        return self._store.scan(prefix)

    def folders(self, prefix: str) -> list[str]:
        """List the folders that the other store has."""
        return self._store.folders(prefix)

    def create(self, key: str, data: bytes) -> None:
        """Remember a document that is not there yet."""
        try:
            self.head(key)
        except ObjectNotFound:
            self.overwrite(key, data)
        else:
            raise ObjectExists(f"{self.url} already has {key}")

    def update(self, key: str, data: bytes, etag: str) -> None:
        """Remember a document instead of one that still has `etag`."""
        if self.head(key).etag != etag:
            raise PreconditionFailed(f"{key} changed since it was read")
        self.overwrite(key, data)

    def overwrite(self, key: str, data: bytes) -> None:
        """Remember a document."""
        info = ObjectInfo(key, len(data), f"rehearsed-{len(self._written)}", self._store.now())
        earlier = self._written.get(key)
        if earlier is not None:
            info = msgspec.structs.replace(info, etag=f"{earlier.info.etag}+")
        self._written[key] = StoredObject(data, info)

    def upload(
        self,
        key: str,
        path: Path,
        sha256: str,
        on_bytes: OnBytes,
        fingerprint: Fingerprint | None = None,
    ) -> None:
        """Count the bytes of a blob, and leave them where they are."""
        del key, sha256, fingerprint
        on_bytes(path.stat().st_size)

    def delete(self, key: str) -> None:
        """Remember that an object is gone."""
        self._written[key] = None

    def now(self) -> datetime:
        """Tell the other store's time."""
        return self._store.now()
