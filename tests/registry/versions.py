"""Versions made by hand: what publishing writes, without its validation, of any bytes."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from pointsman import keys
from pointsman import manifest as manifests
from pointsman.manifest import File, Manifest, Measured, OnnxInfo, TensorSpec, Version
from pointsman.stores.base import ObjectStore, Span

MODEL = "digits"


def manifest(**changes: Any) -> Manifest:
    """A good manifest with some members changed."""
    members: dict[str, Any] = {
        "schema": 1,
        "model": MODEL,
        "version": "v1",
        "created": "2026-01-01T00:00:00+00:00",
        "entrypoint": "model.onnx",
        "files": (File(path="model.onnx", size=10, sha256="a" * 64),),
        "inputs": (TensorSpec(name="x", datatype="FP32", shape=(-1, 4)),),
        "outputs": (TensorSpec(name="y", datatype="FP32", shape=(-1, 4)),),
        "onnx": OnnxInfo(ir_version=8, opsets={"ai.onnx": 17}),
        "measured": Measured(
            runtime="onnxruntime", load_seconds=0.1, latency_seconds=0.1, peak_rss_bytes=1
        ),
    }
    return Manifest(**(members | changes))


def store_version(
    store: ObjectStore, version: str = "v1", files: dict[str, bytes] | None = None
) -> Version:
    """Put a version into `store` whose files have these bytes; the first is its entrypoint."""
    files = files or {"model.onnx": version.encode()}
    listed = []
    with tempfile.TemporaryDirectory() as directory:
        for path, data in files.items():
            sha256 = hashlib.sha256(data).hexdigest()
            listed.append(File(path=path, size=len(data), sha256=sha256))
            source = Path(directory) / sha256
            source.write_bytes(data)
            store.upload(keys.blob(MODEL, sha256), source, sha256, lambda _: None)
    sealed = manifests.seal(
        manifest(version=version, entrypoint=next(iter(files)), files=tuple(listed))
    )
    store.create(keys.manifest(MODEL, version), sealed.document)
    return sealed


def bytes_of(store: ObjectStore, key: str, start: int, length: int) -> bytes:
    """Return these bytes of a blob, fewer where it ends earlier."""
    with tempfile.TemporaryFile() as file:
        span = Span(start, length, file.fileno(), 0)
        count = store.get_range(key, span, lambda _: None)
        data = file.read()
    assert len(data) == count
    return data
