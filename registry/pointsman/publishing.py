"""Publishing: validate, then blobs, then the manifest, whose appearance is the commit.

A crash at any point leaves either the whole version or none: blobs without a manifest are
garbage that no reader can see. Publishing the same content again under the same name succeeds
and changes nothing; other content is refused.
"""

import math
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pointsman import document, keys, manifest, transfer, validation
from pointsman.authorship import author
from pointsman.errors import (
    InvalidModel,
    ObjectExists,
    ObjectNotFound,
    StoreError,
    StoreUnreachable,
    VersionExists,
)
from pointsman.hashing import Hashed, hashed
from pointsman.manifest import File, Manifest, Version
from pointsman.names import model_name, version_name
from pointsman.reuse import Reuse
from pointsman.stores import uploads
from pointsman.stores.base import ObjectStore
from pointsman.version_files import VersionFiles, gather

_ATTEMPTS = 5
_LONGEST_NAME = 128
"""Of a metric or a label: both stand in tables."""


@dataclass(frozen=True, slots=True)
class Particulars:
    """What the publisher says of a version; nothing of it changes what is served.

    `sample` is a file of inputs to try the model on when there is no golden set.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    git_commit: str = ""
    sample: Path | None = None


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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version before any store has heard of it: the files, their digests, the manifest."""

    files: VersionFiles
    digests: Mapping[str, Hashed]
    version: Version


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
    prepared = prepare(model, version, source, golden_set, particulars, progress)
    return commit(store, prepared, progress, dry_run=dry_run)


def prepare(
    model: str,
    version: str,
    source: Path,
    golden_set: Path | None = None,
    particulars: Particulars | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Do all that needs no store: find, try and hash the files, and write the manifest.

    Raises `InvalidModel` and `InvalidName`.
    """
    model, version = model_name(model), version_name(version)
    particulars = particulars or Particulars()
    progress = progress or Progress()
    _check_said(particulars)
    try:
        progress.step("validating")
        files = gather(source, golden_set)
        inspection = validation.inspect(files.entrypoint, files.golden, particulars.sample)
        files = files.with_external(inspection.external)
        progress.step("hashing")
        digests = _hash(files)
        draft = _draft(model, version, files, digests, inspection, particulars)
        return Prepared(files, digests, manifest.seal(draft))
    except OSError as error:
        raise InvalidModel(f"cannot read {error.filename or source}: {error.strerror}") from error


def commit(
    store: ObjectStore,
    prepared: Prepared,
    progress: Progress | None = None,
    *,
    dry_run: bool = False,
) -> Published:
    """Send what is prepared; raises what `publish` does, and then nothing is visible."""
    progress = progress or Progress()
    sealed = prepared.version
    model = sealed.manifest.model
    key = keys.manifest(model, sealed.manifest.version)
    existing = _existing(store, key, sealed.manifest)
    if dry_run:
        return Published(existing or sealed, created=existing is None)
    _abort_abandoned(store, model, progress)
    progress.step("uploading")
    with Reuse(store, sealed.manifest) as reuse:
        _upload_blobs(store, prepared, progress, reuse)
        return Published(existing, created=False) if existing else _claim(store, key, sealed)


def _check_said(particulars: Particulars) -> None:
    for name in (*particulars.metrics, *particulars.labels):
        if not (0 < len(name) <= _LONGEST_NAME and name.isprintable()):
            raise InvalidModel(
                f"{name[:_LONGEST_NAME]!r} cannot be the name of a metric or a label",
                f"Such names have 1 to {_LONGEST_NAME} printable characters.",
            )
    for name, value in particulars.metrics.items():
        if not math.isfinite(value):
            raise InvalidModel(f"the metric {name} is {value}", "Metrics are finite numbers.")


def _hash(files: VersionFiles) -> dict[str, Hashed]:
    """Hash every file, as many at once as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(files.paths, pool.map(hashed, files.paths.values()), strict=True))


def _draft(
    model: str,
    version: str,
    files: VersionFiles,
    digests: Mapping[str, Hashed],
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
            File(path=path, size=known.size, sha256=known.sha256, blake3=known.blake3)
            for path, known in sorted(digests.items())
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


def _claim(store: ObjectStore, key: str, sealed: Version) -> Published:
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


def _upload_blobs(store: ObjectStore, prepared: Prepared, progress: Progress, reuse: Reuse) -> None:
    """Send what is not there yet: after a crash or Ctrl-C, only what was not sent before it."""
    draft = prepared.version.manifest
    for file in draft.files:
        progress.expect(file.path, file.size)

    def send(file: File, stop: transfer.Stop) -> None:
        key = keys.blob(draft.model, file.sha256)
        if reuse.present(key, file.size):
            progress.sent(file.path, file.size)
            return
        path, known = prepared.files.paths[file.path], prepared.digests[file.path]
        report = stop.heeded(partial(progress.sent, file.path))
        try:
            store.upload(key, path, file.sha256, report, known.fingerprint)
        except StoreUnreachable:
            if not reuse.present(key, file.size):
                raise

    transfer.each(draft.files, send)


def _abort_abandoned(store: ObjectStore, model: str, progress: Progress) -> None:
    """Give back what publishers that were killed over a day ago left behind, if that can be."""
    try:
        left = uploads.abandoned(store, keys.blobs(model))
        uploads.abort(store, left)
    except StoreError:
        return  # these credentials may write and not list: the bucket's own rule has to do it
    if left:
        progress.step(f"aborted {len(left)} uploads that were never finished")
