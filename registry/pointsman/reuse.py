"""Counting on blobs that are already there, while somebody may be removing what looks unused.

A publisher skips a blob that the store already has; until its manifest is written, nothing
names that blob, and a prune would be right to take it. What keeps the two apart:

- A blob younger than half a day needs nothing: a prune leaves blobs alone for a whole day.
- Before an older one is counted on, a note with all digests of the upload is written, *then*
  whether a prune is running is looked up, and it is waited for, *then* the blob is looked for
  again. A prune writes its own note first and then reads those of publishers. Stores are
  consistent, so at least one of the two sees the other: either the prune spares the blobs, or
  the publisher comes after it and uploads what is gone.
- The note is removed after the manifest is there, and a prune reads notes before manifests, so
  that there is no moment when it finds neither.

A note that a crash left behind counts for a day, like every upload, and is then collected.
"""

import secrets
import time
from contextlib import suppress
from datetime import timedelta
from threading import Lock
from types import TracebackType
from typing import Self

from pointsman import document, keys, lease
from pointsman.errors import ObjectNotFound, PruneRunning, StoreError
from pointsman.manifest import Manifest
from pointsman.stores.base import ObjectInfo, ObjectStore

SAFE_AGE = timedelta(hours=12)
_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 600.0


class Reuse:
    """The right to count on blobs, from the first look at them until the block is left."""

    def __init__(self, store: ObjectStore, manifest: Manifest) -> None:
        self._store = store
        self._manifest = manifest
        self._key = keys.upload(manifest.model, secrets.token_hex(8))
        self._lock = Lock()
        self._announced = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._announced:
            with suppress(StoreError):  # the next prune but one collects it
                self._store.delete(self._key)

    def present(self, key: str, size: int) -> bool:
        """Tell whether the store has this blob, and will have it while the block lasts.

        May be called from several threads. Raises `PruneRunning` when a prune does not end.
        """
        info = self._whole(key, size)
        if info is None:
            return False
        if self._young(info):
            return True
        with self._lock:
            if not self._announced:
                self._announce()
        return self._whole(key, size) is not None

    def _whole(self, key: str, size: int) -> ObjectInfo | None:
        try:
            info = self._store.head(key)
        except ObjectNotFound:
            return None
        return info if info.size == size else None

    def _young(self, info: ObjectInfo) -> bool:
        try:
            return self._store.now() - info.modified < SAFE_AGE
        except StoreError:
            return False  # without a clock everything is old

    def _announce(self) -> None:
        needed = sorted({file.sha256 for file in self._manifest.files})
        note = {"schema": document.SCHEMA, "version": self._manifest.version, "blobs": needed}
        self._store.overwrite(self._key, document.encode(note))
        self._announced = True
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while lease.held(self._store, self._manifest.model):
            if time.monotonic() > deadline:
                raise PruneRunning(
                    f"versions of {self._manifest.model} have been being removed for "
                    f"{_PATIENCE_SECONDS / 60:.0f} minutes",
                    "Publish again when `pointsman models prune` is done.",
                )
            time.sleep(_LOOK_SECONDS)
