"""Quarantine: marks in the store that say which versions nobody shall try again, and why.

An instance that had to go back from a version may write one, create-only, so that the first reason
stays; every instance asks for it once per load. People lift it. A mark is not signed: whoever can
write below `models/` can block a version, which is why instances write none unless told to.
"""

from collections.abc import Iterator
from contextlib import suppress

import msgspec

from pointsman import document, keys
from pointsman.digest import hex_of
from pointsman.errors import InvalidDocument, InvalidName, NotFound, ObjectExists, ObjectNotFound
from pointsman.names import version_name
from pointsman.stores.base import ObjectStore

REASON_LIMIT = 1000


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Which version, who marked it, when, and why."""

    version: str
    digest: str
    by: str
    at: str
    why: str
    schema: int = document.SCHEMA

    def __str__(self) -> str:
        """Render as one sentence."""
        return f"{self.version} was put in quarantine by {self.by} on {self.at}: {self.why}"


def put(store: ObjectStore, model: str, mark: Mark) -> bool:
    """Write a mark, unless there is one; tell whether this one was written."""
    mark = msgspec.structs.replace(mark, why=mark.why[:REASON_LIMIT])
    try:
        store.create(keys.quarantine(model, hex_of(mark.digest)), document.encode(mark))
    except ObjectExists:
        return False
    return True


def find(store: ObjectStore, model: str, digest: str) -> Mark | None:
    """Return the mark of the version with this digest, if there is one.

    Raises `InvalidDocument` for one that cannot be read: it still is a mark.
    """
    try:
        stored = store.get(keys.quarantine(model, hex_of(digest)))
    except ObjectNotFound:
        return None
    return _read(stored.data, digest) if stored else None


def marks(store: ObjectStore, model: str) -> Iterator[Mark]:
    """Yield every mark of a model that can be read, by digest."""
    for info in store.scan(keys.quarantines(model)):
        with suppress(InvalidDocument, InvalidName, ObjectNotFound):
            stored = store.get(info.key)
            if stored is not None:
                yield _read(stored.data, f"sha256:{keys.name_in(info.key)}")


def lift(store: ObjectStore, model: str, version: str, digest: str) -> None:
    """Remove the mark; raises `NotFound` when there is none."""
    key = keys.quarantine(model, hex_of(digest))
    try:
        store.head(key)
    except ObjectNotFound:
        raise NotFound(
            f"{version} of {model} is not in quarantine",
            "`pointsman models lift` without a version shows what is.",
        ) from None
    store.delete(key)


def _read(data: bytes, digest: str) -> Mark:
    mark = document.decode(data, Mark, "a quarantine mark")
    version_name(mark.version)
    if mark.digest != digest:
        raise InvalidDocument("a quarantine mark speaks of another version than its key does")
    return mark
