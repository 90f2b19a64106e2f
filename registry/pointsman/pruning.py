"""Pruning: old versions go, and whatever belongs to nothing; a version is whole or not there.

The order of steps is the promise. Under a lease, so that one prune runs at a time:

1. The manifest of a version that may go is deleted: from then on it does not exist.
2. The channels are read again. Did somebody activate the version meanwhile, its manifest is
   written back, as it was. An activation moves the channel first and then looks whether the
   manifest is still there: whichever of the two comes last sees the other.
3. The notes of publishers, and then all manifests, are read again; blobs that none of them names
   and that are older than a day are deleted. Why that is safe beside somebody who publishes at
   the same time is told in `pointsman.reuse`.
4. Signatures of manifests that are gone, and old notes, are deleted.

A crash leaves garbage at worst, which the next prune finds in step 3 and 4: it looks for what
nothing names, not for what it remembers to have removed. A manifest that cannot be read ends a
prune before anything is deleted, because nobody knows which blobs it needs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pointsman import document, keys, manifest, retention
from pointsman.digest import hex_of
from pointsman.errors import InvalidDocument, NotFound, ObjectExists, ObjectNotFound
from pointsman.lease import Lease
from pointsman.manifest import Version
from pointsman.retention import YOUNG, Dated, Plan
from pointsman.stores.base import ObjectInfo, ObjectStore

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Garbage:
    """Objects that belong to nothing any more: blobs, and small things beside them."""

    blobs: tuple[ObjectInfo, ...]
    others: tuple[ObjectInfo, ...]

    @property
    def size(self) -> int:
        """Bytes that go with it."""
        return sum(info.size for info in (*self.blobs, *self.others))


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, or would be."""

    removed: tuple[Version, ...]
    kept: tuple[tuple[Version, str], ...]
    garbage: Garbage


def survey(store: ObjectStore, model: str, keep: int) -> Pruned:
    """Say what `prune` would do now, and change nothing; raises as `prune` does."""
    now = store.now()
    plan = _plan(store, model, keep, now)
    staying = [version for version, _ in plan.kept]
    return Pruned(plan.removed, plan.kept, _garbage(store, model, staying, now))


def prune(
    store: ObjectStore, model: str, keep: int, by: str, tell: Tell = lambda _: None
) -> Pruned:
    """Remove the versions of `model` that may go, and all garbage; `tell` hears of each step.

    Raises `NotFound` for a model without versions, `PruneRunning` when another prune is at work,
    `InvalidDocument` for a manifest or channel that cannot be read, and `StoreError`.
    """
    lease = Lease(store, model, by)
    try:
        now = store.now()
        plan = _plan(store, model, keep, now)
        removed: list[Version] = []
        spared: list[Version] = []
        for each in plan.removed:
            (removed if _remove(store, each, lease, tell) else spared).append(each)
        notes = _noted(store, model, now)
        staying = [dated.version for dated in _versions(store, model)]
        garbage = _garbage(store, model, staying, now, notes)
        for info in (*garbage.blobs, *garbage.others):
            lease.hold()
            tell(f"removing {info.key}")
            store.delete(info.key)
    finally:
        lease.release()
    kept = (*plan.kept, *((each, "activated at this moment") for each in spared))
    return Pruned(tuple(removed), kept, garbage)


def _plan(store: ObjectStore, model: str, keep: int, now: datetime) -> Plan:
    versions = _versions(store, model)
    if not versions:
        raise NotFound(
            f"there is no model named {model} in {store.url}",
            "`pointsman models list` shows what is there.",
        )
    return retention.choose(versions, _named(store, model), keep, now)


def _remove(store: ObjectStore, version: Version, lease: Lease, tell: Tell) -> bool:
    """Delete a version's manifest, unless a channel names it by then."""
    name = version.manifest.version
    key = keys.manifest(version.manifest.model, name)
    lease.hold()
    tell(f"removing {name}")
    store.delete(key)
    named = _named(store, version.manifest.model)
    if name not in named and version.digest not in named:
        return True
    tell(f"{name} was activated at this moment, and stays")
    try:
        store.create(key, version.document)
    except ObjectExists:
        return False  # somebody published the same name again
    return False


def _versions(store: ObjectStore, model: str) -> list[Dated]:
    found = []
    for info in store.scan(keys.versions(model)):
        data = _read(store, info.key) if keys.is_document(info.key) else None
        if data is not None:
            version = manifest.read(data, model, keys.name_in(info.key))
            found.append(Dated(version, info.modified))
    return found


def _named(store: ObjectStore, model: str) -> dict[str, str]:
    named: dict[str, str] = {}
    for info in store.scan(keys.channels(model)):
        data = _read(store, info.key) if keys.is_document(info.key) else None
        if data is not None:
            name = keys.name_in(info.key)
            named = retention.names(name, document.members(data, f"the channel {name}")) | named
    return named


def _noted(store: ObjectStore, model: str, now: datetime) -> set[str]:
    """Return the blobs that publishers count on at this moment."""
    noted: set[str] = set()
    for info in store.scan(keys.uploads(model)):
        data = _read(store, info.key) if now - info.modified < YOUNG else None
        if data is None:
            continue
        blobs = document.members(data, info.key).get("blobs")
        if not isinstance(blobs, list):
            raise InvalidDocument(f"{info.key} is not a publisher's note", "Delete that object.")
        noted.update(map(str, blobs))
    return noted


def _garbage(
    store: ObjectStore,
    model: str,
    staying: list[Version],
    now: datetime,
    notes: set[str] | None = None,
) -> Garbage:
    noted = _noted(store, model, now) if notes is None else notes
    needed = noted | retention.blobs_of(staying)
    digests = {hex_of(version.digest) for version in staying}
    old = [info for info in store.scan(keys.blobs(model)) if now - info.modified >= YOUNG]
    blobs = tuple(info for info in old if info.key.rsplit("/", 1)[-1] not in needed)
    return Garbage(blobs, tuple(_others(store, model, digests, now)))


def _others(
    store: ObjectStore, model: str, digests: set[str], now: datetime
) -> Iterator[ObjectInfo]:
    for info in store.scan(keys.signatures(model)):
        if info.key.split("/")[-2] not in digests and now - info.modified >= YOUNG:
            yield info
    for info in store.scan(keys.uploads(model)):
        if now - info.modified >= YOUNG:
            yield info


def _read(store: ObjectStore, key: str) -> bytes | None:
    try:
        stored = store.get(key)
    except ObjectNotFound:
        return None  # removed since it was listed
    return stored.data if stored else None
