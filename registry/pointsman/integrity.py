"""Whether a store still holds what it promised: every byte hashed again, every name followed.

A check never writes. It reports all that is wrong, and not just the first of it: blobs that are
gone or have other bytes than their name says, manifests that cannot be read, channels that name
what is not there, and, where keys are trusted, signatures that are missing or wrong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from pointsman import channel as channels
from pointsman import keys, manifest, transfer
from pointsman.channel import Channel, Pointer
from pointsman.errors import (
    InvalidDocument,
    NotFound,
    ObjectNotFound,
    Untrusted,
)
from pointsman.manifest import File, Version
from pointsman.publishing import Progress
from pointsman.signing.notary import Notary
from pointsman.stores.base import ObjectStore


class Fault(StrEnum):
    """What can be wrong."""

    MISSING = "missing"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    REPLACED = "replaced"
    UNTRUSTED = "untrusted"


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is wrong: the object, how, what it means, and which versions suffer."""

    key: str
    fault: Fault
    meaning: str
    versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what is wrong with it."""

    versions: tuple[str, ...]
    blobs: int
    size: int
    damage: tuple[Damage, ...]


def verify(
    store: ObjectStore,
    model: str,
    notary: Notary,
    only: str | None = None,
    progress: Progress | None = None,
) -> Verified:
    """Check all versions of `model`, or `only` one, and the channels that name them.

    Raises `NotFound` when there is no such model or version, and `StoreError`.
    """
    progress = progress or Progress()
    listed = [info.key for info in store.scan(keys.versions(model))]
    names = [keys.name_in(key) for key in listed if keys.is_document(key)]
    if not names or only not in {None, *names}:
        raise NotFound(
            f"there is no {f'version {only} of ' if names else 'model named '}{model} "
            f"in {store.url}",
            "`pointsman models list` shows what is there.",
        )
    damage: list[Damage] = []
    versions = list(_versions(store, model, [only] if only else names, notary, damage))
    users = _users(versions)
    for file in users:
        progress.expect(file.sha256[:12], file.size)
    for file, used_by in users.items():
        damage += _blob(store, model, file, used_by, progress)
    damage += _channels(store, model, notary, {each.manifest.version: each for each in versions})
    checked = tuple(version.manifest.version for version in versions)
    return Verified(checked, len(users), sum(file.size for file in users), tuple(damage))


def _versions(
    store: ObjectStore, model: str, names: list[str], notary: Notary, damage: list[Damage]
) -> Iterator[Version]:
    for name in names:
        key = keys.manifest(model, name)
        try:
            stored = store.get(key)
            version = manifest.read(stored.data if stored else b"", model, name)
            yield version
            notary.check_version(store, version)
        except ObjectNotFound:
            damage.append(Damage(key, Fault.MISSING, "the manifest is gone", (name,)))
        except InvalidDocument as error:
            damage.append(Damage(key, Fault.UNREADABLE, error.message, (name,)))
        except Untrusted as error:
            damage.append(Damage(key, Fault.UNTRUSTED, error.message, (name,)))


def _users(versions: Iterable[Version]) -> dict[File, tuple[str, ...]]:
    """Return each blob once, as the file it is first used as, with the versions that use it."""
    files: dict[tuple[str, int], File] = {}
    users: dict[tuple[str, int], list[str]] = {}
    for version in versions:
        for file in version.manifest.files:
            identity = (file.sha256, file.size)
            files.setdefault(identity, file)
            names = users.setdefault(identity, [])
            if version.manifest.version not in names:
                names.append(version.manifest.version)
    return {files[identity]: tuple(names) for identity, names in users.items()}


def _blob(
    store: ObjectStore, model: str, file: File, users: tuple[str, ...], progress: Progress
) -> Iterator[Damage]:
    key = keys.blob(model, file.sha256)
    report = partial(progress.sent, file.sha256[:12])
    try:
        size = store.head(key).size
        if size != file.size:
            meaning = f"{file.path} has {size} bytes instead of {file.size}"
            yield Damage(key, Fault.DAMAGED, meaning, users)
        elif not transfer.is_intact(store, key, file, report):
            meaning = f"{file.path} has other bytes than its name says"
            yield Damage(key, Fault.DAMAGED, meaning, users)
    except ObjectNotFound:
        yield Damage(key, Fault.MISSING, f"{file.path} is gone", users)


def _channels(
    store: ObjectStore, model: str, notary: Notary, known: dict[str, Version]
) -> Iterator[Damage]:
    for info in store.scan(keys.channels(model)):
        name = keys.name_in(info.key)
        if not keys.is_document(info.key):
            continue
        try:
            stored = store.get(info.key)
            data = stored.data if stored else b""
            channel = channels.read(data, name)
            notary.trust.check_channel(model, name, data)
        except ObjectNotFound:
            continue
        except InvalidDocument as error:
            yield Damage(info.key, Fault.UNREADABLE, error.message)
            continue
        except Untrusted as error:
            yield Damage(info.key, Fault.UNTRUSTED, error.message)
        yield from _named(store, model, name, channel, known)


def _named(
    store: ObjectStore, model: str, name: str, channel: Channel, known: dict[str, Version]
) -> Iterator[Damage]:
    """Follow every pointer of a channel: what it serves, and what it could go back to."""
    present = [Pointer(version=each.version, digest=each.digest) for each in channel.named]
    pointers = dict.fromkeys([*present, *(change.pointer for change in channel.history)])
    for pointer in pointers:
        key = keys.manifest(model, pointer.version)
        role = "serves" if pointer in present else "remembers"
        version = known.get(pointer.version)
        if version is not None and version.digest != pointer.digest:
            meaning = f"it is not the manifest that the channel {name} {role}"
            yield Damage(key, Fault.REPLACED, meaning, (pointer.version,))
        elif version is None and not _exists(store, key):
            meaning = f"the channel {name} {role} {pointer.version}, which is gone"
            yield Damage(key, Fault.MISSING, meaning, (pointer.version,))


def _exists(store: ObjectStore, key: str) -> bool:
    try:
        store.head(key)
    except ObjectNotFound:
        return False
    return True
