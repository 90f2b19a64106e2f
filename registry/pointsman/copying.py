"""Copying a version into another store: the same digest, the same signatures, no byte twice.

What is copied is the manifest as it stands, byte for byte, and so the version is the very same
one there: what was tried in one store is what serves from the other. Blobs that are there already
are not sent again. The manifest comes last, as in publishing.
"""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock

from pointsman import keys, manifest, transfer
from pointsman.digest import hex_of
from pointsman.errors import ObjectExists, ObjectNotFound, StoreUnreachable, VersionExists
from pointsman.hashing import hashed
from pointsman.manifest import File, Version
from pointsman.publishing import Progress
from pointsman.reuse import Reuse
from pointsman.stores.base import ObjectStore


@dataclass(slots=True)
class Copied:
    """What copying did."""

    created: bool = False
    """Whether the version was not there before."""
    bytes: int = 0
    """How many bytes of files were sent; the others were there."""


def copy(
    source: ObjectStore, version: Version, target: ObjectStore, progress: Progress | None = None
) -> Copied:
    """Make `version` of one store a version of another; its signatures come along.

    Raises `VersionExists` when the name is taken there by another digest, `ContentMismatch` when
    the source's bytes are wrong, and `StoreError`; then nothing is visible in the target.
    """
    progress = progress or Progress()
    copied = Copied()
    if _existing(target, version):
        _copy_signatures(source, version, target)
        return copied
    progress.step(f"copying to {target.url}")
    for file in version.manifest.files:
        progress.expect(file.path, file.size)
    with (
        Reuse(target, version.manifest) as reuse,
        tempfile.TemporaryDirectory(prefix="pointsman-") as folder,
    ):
        _copy_blobs(source, version, target, Path(folder), progress, reuse, copied)
        _copy_signatures(source, version, target)
        copied.created = _claim(target, version)
    return copied


def _copy_blobs(
    source: ObjectStore,
    version: Version,
    target: ObjectStore,
    folder: Path,
    progress: Progress,
    reuse: Reuse,
    copied: Copied,
) -> None:
    lock = Lock()

    def send(file: File, stop: transfer.Stop) -> None:
        key = keys.blob(version.manifest.model, file.sha256)
        if reuse.present(key, file.size):
            progress.sent(file.path, file.size)
            return
        here = folder / file.sha256
        transfer.download(source, key, file, here, stop.heeded(lambda _: None))
        report = stop.heeded(partial(progress.sent, file.path))
        target.upload(key, here, file.sha256, report, hashed(here).fingerprint)
        here.unlink()
        with lock:
            copied.bytes += file.size

    # A version may have the same content under two names, which is one blob.
    transfer.each(list({file.sha256: file for file in version.manifest.files}.values()), send)


def _copy_signatures(source: ObjectStore, version: Version, target: ObjectStore) -> None:
    prefix = f"{keys.signatures(version.manifest.model)}{hex_of(version.digest)}/"
    for info in source.scan(prefix):
        stored = source.get(info.key)
        if stored is not None:
            target.overwrite(info.key, stored.data)


def _existing(target: ObjectStore, version: Version) -> bool:
    """Tell whether the very same version is there; raises for another one of its name."""
    model, name = version.manifest.model, version.manifest.version
    try:
        stored = target.get(keys.manifest(model, name))
    except ObjectNotFound:
        return False
    if stored is None:
        return False
    if manifest.read(stored.data, model, name).digest == version.digest:
        return True
    raise VersionExists(
        f"{model} {name} exists in {target.url} with another digest",
        "It was published there by itself, and is not the one that was tried: publish under a new "
        "name, and promote that.",
    )


def _claim(target: ObjectStore, version: Version) -> bool:
    key = keys.manifest(version.manifest.model, version.manifest.version)
    try:
        target.create(key, version.document)
    except (ObjectExists, StoreUnreachable):
        # Taken, perhaps by ourselves: the answer to a write that took place may be lost.
        if not _existing(target, version):
            raise
        return False
    return True
