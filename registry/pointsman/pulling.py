"""Pulling: a version's files into a directory of yours, laid out as they were published.

Every file is verified by its digest on the way, and takes its name only when it is whole. Files
that are there already, with the same content, are left as they are, so that an interrupted pull
goes on where it was; one with other content is never overwritten.
"""

from functools import partial
from pathlib import Path

from pointsman import checksum, keys, staging, transfer
from pointsman.errors import InvalidModel, NotFound, ObjectNotFound
from pointsman.manifest import File, Version
from pointsman.publishing import Progress
from pointsman.stores.base import ObjectStore, OnBytes


def pull(store: ObjectStore, version: Version, to: Path, progress: Progress | None = None) -> None:
    """Make `to` a directory with all files of `version`.

    Raises `ContentMismatch` when the store's bytes are wrong, `NotFound` when it lost some,
    `InvalidModel` when `to` has other content in their places or cannot be written, `StoreError`.
    """
    progress = progress or Progress()
    for file in version.manifest.files:
        progress.expect(file.path, file.size)

    def bring(file: File, stop: transfer.Stop) -> None:
        report = stop.heeded(partial(progress.sent, file.path))
        _bring(store, version.manifest.model, file, to, report)

    try:
        transfer.each(version.manifest.files, bring)
        for folder in {(to / file.path).parent for file in version.manifest.files}:
            staging.sweep(folder)
    except OSError as error:
        raise InvalidModel(
            f"cannot write {error.filename or to}: {error.strerror}",
            "Name a directory that can be written, with room for the model.",
        ) from error


def _bring(store: ObjectStore, model: str, file: File, to: Path, report: OnBytes) -> None:
    path = to / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.parent.resolve().is_relative_to(to.resolve()):
        raise InvalidModel(f"{path.parent} is a link out of {to}")
    if path.exists() or path.is_symlink():
        _require_same(path, file)
        report(file.size)
        return
    key = keys.blob(model, file.sha256)
    with staging.staged(path.parent) as temporary:
        try:
            transfer.download(store, key, file, temporary, report)
        except ObjectNotFound as error:
            raise NotFound(
                f"{store.url} has lost {file.path}: there is no {key}",
                "Publish the same files again, which restores it.",
            ) from error
        staging.replace(temporary, path)


def _require_same(path: Path, file: File) -> None:
    if not checksum.is_intact(path, file):
        raise InvalidModel(
            f"{path} exists with other content, and is not overwritten",
            "Remove it, or pull into another directory with --to.",
        )
