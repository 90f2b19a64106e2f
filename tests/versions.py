"""Versions put into a store without being tried first, and objects made to look old.

For tests of what happens to versions once they are there: trying a model takes a process.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from pointsman import keys, manifest
from pointsman.manifest import File, Manifest, Measured, OnnxInfo, TensorSpec, Version
from pointsman.stores.base import ObjectStore, StoredObject

SPEC = TensorSpec(name="x", datatype="FP32", shape=(-1, 4))


def put(
    store: ObjectStore,
    name: str,
    files: Mapping[str, bytes],
    model: str = "m",
    created: datetime | None = None,
) -> Version:
    """Write blobs and manifest of a version; its files can be anything."""
    listed = []
    with TemporaryDirectory() as directory:
        for path, data in files.items():
            sha256 = hashlib.sha256(data).hexdigest()
            source = Path(directory) / sha256
            source.write_bytes(data)
            store.upload(keys.blob(model, sha256), source, sha256, lambda _: None)
            listed.append(File(path=path, size=len(data), sha256=sha256))
    version = manifest.seal(described(name, tuple(listed), model, created or datetime.now(UTC)))
    store.create(keys.manifest(model, name), version.document)
    return version


def described(name: str, files: tuple[File, ...], model: str, created: datetime) -> Manifest:
    """Return a manifest that says little."""
    return Manifest(
        schema=1,
        model=model,
        version=name,
        created=created.isoformat(timespec="seconds"),
        entrypoint=files[0].path,
        files=files,
        inputs=(SPEC,),
        outputs=(SPEC,),
        onnx=OnnxInfo(ir_version=8, opsets={"ai.onnx": 17}),
        measured=Measured(runtime="none", load_seconds=0.0, latency_seconds=0.0, peak_rss_bytes=0),
    )


def age(file_url: str, by: timedelta, but: Iterable[str] = ()) -> None:
    """Make everything in a `file://` store as much older, but keys that contain one of `but`."""
    moment = (datetime.now(UTC) - by).timestamp()
    for path in Path(urlsplit(file_url).path).rglob("*"):
        if path.is_file() and not any(part in str(path) for part in but):
            os.utime(path, (moment, moment))


def broken(store: ObjectStore, model: str = "m") -> list[str]:
    """Return which visible versions lack one of their blobs."""
    missing = []
    present = {info.key for info in store.scan(keys.blobs(model))}
    for info in store.scan(keys.versions(model)):
        name = keys.name_in(info.key)
        version = manifest.read(read(store, info.key).data, model, name)
        files = version.manifest.files
        gone = [file for file in files if keys.blob(model, file.sha256) not in present]
        missing += [f"{name} {file.path}" for file in gone]
    return missing


def names(store: ObjectStore, model: str = "m") -> set[str]:
    """Return the versions that are there."""
    return {keys.name_in(info.key) for info in store.scan(keys.versions(model))}


def read(store: ObjectStore, key: str) -> StoredObject:
    """Read an object that is there."""
    stored = store.get(key)
    assert stored is not None
    return stored
