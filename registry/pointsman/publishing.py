"""Publishing: validate, then blobs, then the manifest, whose appearance is the commit.

A crash at any point leaves either the whole version or none: blobs without a manifest are
garbage that no reader can see. Publishing the same content again under the same name succeeds
and changes nothing; other content is refused.
"""

import getpass
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pointsman import document, keys, manifest, validation
from pointsman.digest import file_sha256
from pointsman.errors import InvalidModel, ObjectExists, ObjectNotFound, VersionExists
from pointsman.manifest import File, GoldenSet, Manifest, Version
from pointsman.names import model_name, version_name
from pointsman.stores.base import ObjectStore
from pointsman.version_files import GOLDEN, VersionFiles, gather


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
    `sent` a path and how many bytes more are on their way.
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
    by other content, and `StoreError`; in each case nothing becomes visible. With `dry_run` all is
    done but writing.
    """
    key = keys.manifest(model_name(model), version_name(version))
    progress = progress or Progress()
    progress.step("validating")
    files = gather(source, golden_set)
    inspection = validation.inspect(files.entrypoint, files.golden)
    files = files.with_external(inspection.external)
    progress.step("hashing")
    draft = _draft(model, version, files, inspection, particulars or Particulars())
    if existing := _existing(store, key, draft):
        return Published(existing, created=False)
    sealed = manifest.seal(draft)
    if dry_run:
        return Published(sealed, created=True)
    progress.step("uploading")
    _upload_blobs(store, model, draft, files, progress)
    try:
        store.create(key, sealed.document)
    except ObjectExists:
        return _settle(store, key, draft, sealed)
    return Published(sealed, created=True)


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
        golden=_golden_set(files.golden),
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


def _golden_set(path: Path | None) -> GoldenSet | None:
    if path is None:
        return None
    from pointsman import golden

    examples = golden.load(path)
    return GoldenSet(path=GOLDEN, rows=examples.rows, rtol=examples.rtol, atol=examples.atol)


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


def _settle(store: ObjectStore, key: str, draft: Manifest, sealed: Version) -> Published:
    """Find out whose manifest won: ours (its answer was lost), an equal one, or another's."""
    existing = _existing(store, key, draft)
    if existing is None:
        raise InvalidModel(f"{draft.model} {draft.version} vanished while it was being published")
    return Published(existing, created=existing.document == sealed.document)


def _upload_blobs(
    store: ObjectStore, model: str, draft: Manifest, files: VersionFiles, progress: Progress
) -> None:
    for file in draft.files:
        progress.expect(file.path, file.size)
    for file in draft.files:
        key = keys.blob(model, file.sha256)
        if _present(store, key, file.size):
            progress.sent(file.path, file.size)
        else:
            store.upload(key, files.paths[file.path], _reporter(progress, file.path))


def _reporter(progress: Progress, path: str) -> Callable[[int], None]:
    return lambda count: progress.sent(path, count)


def _present(store: ObjectStore, key: str, size: int) -> bool:
    try:
        return store.head(key).size == size
    except ObjectNotFound:
        return False
