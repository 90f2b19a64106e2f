"""The cache: verified files of versions on a local disk, shared by any number of processes.

Blobs are stored once by digest; a version is a directory of hard links to them, laid out as it
was published. Every blob's digest is computed anew whenever its version is asked for, so a bit
that rotted is found before it is served, and fetched again. Nothing appears under its final
name before it is whole. What nobody uses is given up when room is short; see `eviction`.

    blobs/<sha256>                    one file's bytes
    versions/<manifest sha256>/…      the version's directory
    manifests/<manifest sha256>.json  the manifest, for starting without the store
    channels/<model>/<channel>.json   the channel as last served, likewise
    holds/<manifest sha256>           locked by every process that uses the version
"""

import os
from collections.abc import Collection
from pathlib import Path

from pointsman import checksum, eviction, keys, staging, transfer
from pointsman.digest import hex_of, identity
from pointsman.errors import CacheUnusable, NotFound, ObjectNotFound
from pointsman.manifest import File, Version
from pointsman.names import channel_name, model_name
from pointsman.stores.base import ObjectStore, OnBytes


class Cache:
    """A directory that fills itself from a store, with at most `most_bytes`; 0 is any number."""

    def __init__(self, root: Path, most_bytes: int = 0) -> None:
        self._root = root.absolute()
        self._most_bytes = most_bytes
        self._holds = eviction.Holds(self._root)

    def fetch(
        self, store: ObjectStore, version: Version, on_bytes: OnBytes = lambda _: None
    ) -> Path:
        """Return the directory of `version`, with every file present and verified.

        It stays until `keep` says that it is no longer needed, or the process ends. `on_bytes`
        is called from several threads, one at a time. Raises `ContentMismatch` when the store's
        bytes are wrong, `NotFound` when a blob is gone, `StoreError` when one is needed and the
        store cannot be read, and `CacheUnusable` when this disk is to blame.
        """
        directory = self._version(version.digest)
        model = version.manifest.model
        report = transfer.one_at_a_time(on_bytes)

        def bring(file: File, stop: transfer.Stop) -> None:
            self._bring(store, model, file, directory / file.path, stop.heeded(report))

        try:
            self._holds.add(version.digest)
            self._make_room(version)
            transfer.each(version.manifest.files, bring)
            self._note(version)
        except OSError as error:
            raise CacheUnusable(
                f"the cache in {self._root} cannot be used: {error.strerror or error}",
                "It must be a directory that can be written, with room for the model.",
            ) from error
        return directory

    def keep(self, digests: Collection[str]) -> None:
        """Need these versions and no others: those may go when room is short."""
        self._holds.keep(digests)

    def has(self, version: Version) -> bool:
        """Tell whether every file is here, without verifying it."""
        return all(self._blob_path(file).exists() for file in version.manifest.files)

    def manifest(self, digest: str) -> bytes | None:
        """Return the manifest with this digest if it is here and intact."""
        data = _read(self._manifest(digest))
        return data if data is not None and identity(data) == digest else None

    def remember(self, model: str, channel: str, document: bytes, digest: str) -> None:
        """Keep the channel that is being served, and its version, for a start without the store."""
        path = self._channel(model, channel)
        staging.write(path.with_suffix(".version"), digest.encode())
        staging.write(path, document)

    def remembered(self, model: str, channel: str) -> bytes | None:
        """Return the channel that was served last, if any."""
        return _read(self._channel(model, channel))

    def _make_room(self, version: Version) -> None:
        blobs = {self._blob_path(file): file.size for file in version.manifest.files}
        missing = sum(size for path, size in blobs.items() if not path.exists())
        if missing:
            eviction.make_room(self._root, missing, self._most_bytes)

    def _note(self, version: Version) -> None:
        """Keep the manifest, and when it was asked for last, which eviction goes by."""
        path = self._manifest(version.digest)
        if self.manifest(version.digest) is None:
            staging.write(path, version.document)
        else:
            os.utime(path)  # to write it anew would wait for the disk, at every start

    def _bring(
        self, store: ObjectStore, model: str, file: File, to: Path, on_bytes: OnBytes
    ) -> None:
        path = self._blob_path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        with eviction.blob_lock(path):
            if checksum.is_intact(path, file):
                on_bytes(file.size)
            else:
                # One name under the lock: what a crash leaves is overwritten by the next try.
                temporary = path.with_name(f".{path.name}{eviction.PART}")
                try:
                    _download(store, model, file, temporary, on_bytes)
                    temporary.replace(path)
                finally:
                    temporary.unlink(missing_ok=True)
            _link(path, to)

    def _blob_path(self, file: File) -> Path:
        return self._root / "blobs" / file.sha256

    def _version(self, digest: str) -> Path:
        return self._root / "versions" / hex_of(digest)

    def _manifest(self, digest: str) -> Path:
        return self._root / "manifests" / f"{hex_of(digest)}.json"

    def _channel(self, model: str, channel: str) -> Path:
        return self._root / "channels" / model_name(model) / f"{channel_name(channel)}.json"


def _download(store: ObjectStore, model: str, file: File, to: Path, on_bytes: OnBytes) -> None:
    key = keys.blob(model, file.sha256)
    try:
        transfer.download(store, key, file, to, on_bytes)
    except ObjectNotFound as error:
        raise NotFound(
            f"{store.url} has lost {file.path}: there is no {key}",
            "Publish the same files again, which restores it.",
        ) from error


def _link(blob: Path, path: Path) -> None:
    if path.exists() and path.samefile(blob):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with staging.staged(path.parent) as temporary:
        os.link(blob, temporary)
        temporary.replace(path)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
