"""The lease of a prune: one at a time per model, and seen by whoever publishes meanwhile.

It is an object that its holder writes anew every 20 seconds, and that nobody respects any more
once it is two minutes old by the store's clock. A holder that was stopped (a laptop that slept)
notices before its next step that 40 seconds have passed, and gives up: the minute and more in
between is longer than any single call to a store may take.
"""

import secrets
import time
from contextlib import suppress
from datetime import timedelta

from pointsman import document, keys
from pointsman.errors import (
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    PruneRunning,
    StoreError,
    StoreUnreachable,
)
from pointsman.stores.base import ObjectStore, StoredObject

_RENEW_SECONDS = 20.0
_GIVE_UP_SECONDS = 40.0
_STALE = timedelta(seconds=120)


def held(store: ObjectStore, model: str) -> bool:
    """Tell whether somebody is removing versions of `model` now; raises `StoreError`."""
    try:
        info = store.head(keys.pruning(model))
    except ObjectNotFound:
        return False
    return store.now() - info.modified < _STALE


class Lease:
    """The right to remove what belongs to one model."""

    def __init__(self, store: ObjectStore, model: str, by: str) -> None:
        """Take it; raises `PruneRunning` when somebody else has it, `StoreError`."""
        self._store = store
        self._model = model
        self._key = keys.pruning(model)
        self._nonce = secrets.token_hex(8)
        self._by = by
        self._round = 0
        self._etag = ""
        self._renewed = _now()
        present = self._read()
        if present is None:
            self._write(None)
        elif store.now() - present.info.modified < _STALE:
            raise self._taken()
        else:
            self._write(present.info.etag)

    def hold(self) -> None:
        """Make sure of the lease before a step; raises `PruneRunning` when it was lost."""
        passed = max(now - then for now, then in zip(_now(), self._renewed, strict=True))
        if passed > _GIVE_UP_SECONDS:
            raise PruneRunning(
                "this prune stood still for too long to go on safely",
                "Nothing is half removed: run it again.",
            )
        if passed > _RENEW_SECONDS:
            self._write(self._etag)

    def release(self) -> None:
        """Give it back; one that cannot be given back runs out by itself."""
        with suppress(StoreError, PruneRunning):
            self.hold()
            self._store.delete(self._key)

    def _write(self, etag: str | None) -> None:
        started = _now()
        self._round += 1
        note = {"schema": 1, "by": self._by, "nonce": self._nonce, "round": self._round}
        data = document.encode(note)
        failure: StoreError | None = None
        try:
            if etag is None:
                self._store.create(self._key, data)
            else:
                self._store.update(self._key, data, etag)
        except (ObjectExists, PreconditionFailed, StoreUnreachable) as error:
            failure = error  # perhaps our own write, whose answer was lost: reading tells
        stored = self._read()
        if stored is None or stored.data != data:
            raise failure if isinstance(failure, StoreUnreachable) else self._taken()
        self._etag, self._renewed = stored.info.etag, started

    def _read(self) -> StoredObject | None:
        try:
            return self._store.get(self._key)
        except ObjectNotFound:
            return None

    def _taken(self) -> PruneRunning:
        return PruneRunning(
            f"versions of {self._model} are being removed by somebody else",
            "Wait until that is done; if it was interrupted, two minutes are enough.",
        )


def _now() -> tuple[float, float]:
    """Return two clocks: one does not count a machine's sleep, and the other can be set."""
    return time.monotonic(), time.time()
