"""Publishing: validate, then blobs, then the manifest, whose appearance is the commit.

A crash at any point leaves either the whole version or none: blobs without a manifest are
garbage that no reader can see. Publishing the same content again under the same name succeeds
and changes nothing; other content is refused.
"""

import getpass
import math
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pointsman import document, keys, manifest, transfer, validation
from pointsman.digest import file_sha256
from pointsman.errors import (
    InvalidModel,
    ObjectExists,
    ObjectNotFound,
    StoreUnreachable,
    VersionExists,
)
from pointsman.manifest import File, Manifest, Version
from pointsman.names import model_name, version_name
from pointsman.stores.base import ObjectStore
from pointsman.version_files import VersionFiles, gather

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Particulars:
    """What the publisher says of a version; nothing of it changes what is served."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    git_commit: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where publishing tells how far it is; every part may be left out.

    `step` hears a sentence at each stage, `expect` a file's path and size before it is sent,
    `sent` a path and how many bytes more are on their way. `sent` is called from several
    threads, for one file from one at a time.
    """

    step: Callable[[str], None] = lambda _: None
    expect: Callable[[str, int], None] = lambda _path, _size: None
    sent: Callable[[str, int], None] = lambda _path, _count: None


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did; `created` is False when the very same version was already there."""

    version: Version
    created: bool


def publish(
    store: ObjectStore,
    model: str,
    version: str,
    source: Path,
    golden_set: Path | None = None,
    particulars: Particulars | None = None,
    progress: Progress | None = None,
    *,
    dry_run: bool = False,
) -> Published:
    """Make `source`, an `.onnx` file or a directory with one, a version of `model`.

    Raises `InvalidModel` for files that cannot be served, `VersionExists` when the name is taken
    by other content, and `StoreError`; in each case nothing becomes visible. A version that is
    already there gets back the blobs it may have lost. With `dry_run` all is done but writing.
    """
    key = keys.manifest(model_name(model), version_name(version))
    progress = progress or Progress()
    files, sealed = _prepare(model, version, source, golden_set, particulars, progress)
    existing = _existing(store, key, sealed.manifest)
    if dry_run:
        return Published(existing or sealed, created=existing is None)
    progress.step("uploading")
    _upload_blobs(store, sealed.manifest, files, progress)
    return Published(existing, created=False) if existing else _commit(store, key, sealed)


def _prepare(
    model: str,
    version: str,
    source: Path,
    golden_set: Path | None,
    particulars: Particulars | None,
    progress: Progress,
) -> tuple[VersionFiles, Version]:
    """Do all that needs no store: find, try and hash the files, and write the manifest."""
    particulars = particulars or Particulars()
    _check_metrics(particulars.metrics)
    try:
        progress.step("validating")
        files = gather(source, golden_set)
        inspection = validation.inspect(files.entrypoint, files.golden)
        files = files.with_external(inspection.external)
        progress.step("hashing")
        return files, manifest.seal(_draft(model, version, files, inspection, particulars))
    except OSError as error:
        raise InvalidModel(f"cannot read {error.filename or source}: {error.strerror}") from error


def _check_metrics(metrics: Mapping[str, float]) -> None:
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise InvalidModel(f"the metric {name} is {value}", "Metrics are finite numbers.")


def _draft(
    model: str,
    version: str,
    files: VersionFiles,
    inspection: validation.Inspection,
    particulars: Particulars,
) -> Manifest:
    return Manifest(
        schema=document.SCHEMA,
        model=model,
        version=version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        entrypoint=files.entrypoint_path,
        files=tuple(
            File(path=path, size=file.stat().st_size, sha256=file_sha256(file))
            for path, file in sorted(files.paths.items())
        ),
        inputs=inspection.inputs,
        outputs=inspection.outputs,
        onnx=inspection.onnx,
        measured=inspection.measured,
        golden=inspection.golden,
        metrics=dict(particulars.metrics),
        labels=dict(particulars.labels),
        note=particulars.note,
        git_commit=particulars.git_commit or os.environ.get("GITHUB_SHA", ""),
        by=author(),
    )


def author() -> str:
    """Return who is at the keyboard, as `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{platform.node() or 'unknown'}"


def _existing(store: ObjectStore, key: str, draft: Manifest) -> Version | None:
    """Return the version if it is there with the same content; raises if with other content."""
    try:
        stored = store.get(key)
    except ObjectNotFound:
        return None
    if stored is None:
        return None
    found = manifest.read(stored.data, draft.model, draft.version)
    if found.manifest.same_content(draft):
        return found
    raise VersionExists(
        f"{draft.model} {draft.version} exists with other content, published "
        f"{found.manifest.created} by {found.manifest.by or 'unknown'}",
        "Versions never change: choose a new name.",
    )


def _commit(store: ObjectStore, key: str, sealed: Version) -> Published:
    """Make the version visible, and find out whose it is if the store does not say clearly."""
    for _ in range(_ATTEMPTS):
        try:
            store.create(key, sealed.document)
        except (ObjectExists, StoreUnreachable) as error:
            # Taken, perhaps by ourselves: the answer to a write that took place may be lost.
            existing = _existing(store, key, sealed.manifest)
            if existing is not None:
                return Published(existing, created=existing.document == sealed.document)
            if isinstance(error, StoreUnreachable):
                raise
        else:
            return Published(sealed, created=True)
    raise StoreUnreachable(
        f"{store.url} says that {key} exists and that it does not", "Try again in a minute."
    )


def _upload_blobs(
    store: ObjectStore, draft: Manifest, files: VersionFiles, progress: Progress
) -> None:
    for file in draft.files:
        progress.expect(file.path, file.size)

    def send(file: File) -> None:
        key = keys.blob(draft.model, file.sha256)
        if _present(store, key, file.size):
            progress.sent(file.path, file.size)
            return
        try:
            store.upload(
                key, files.paths[file.path], file.sha256, partial(progress.sent, file.path)
            )
        except StoreUnreachable:
            if not _present(store, key, file.size):
                raise

    transfer.each(draft.files, send)


def _present(store: ObjectStore, key: str, size: int) -> bool:
    try:
        return store.head(key).size == size
    except ObjectNotFound:
        return False
