"""Folders as exporters leave them are versions as they are."""

import hashlib
from pathlib import Path

from pointsman.cache import Cache
from pointsman.registry import Registry
from pointsman.stores import open_store
from tests import models


def test_a_hugging_face_export_is_published_and_pulled_as_it_comes(
    store_url: str, tmp_path: Path
) -> None:
    """`onnx/model.onnx` with its data beside it, tokenizer and configuration above."""
    source = tmp_path / "export"
    models.with_external_data(source / "onnx" / "model.onnx")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (source / name).write_text(f'{{"name": "{name}"}}')
    (source / ".cache").mkdir()
    (source / ".cache" / "lock").write_text("")
    registry = Registry(open_store(store_url))

    manifest = registry.publish("bert", "v1", source).version.manifest

    assert manifest.entrypoint == "onnx/model.onnx"
    directory = Cache(tmp_path / "cache").fetch(registry.store, registry.version("bert", "v1"))
    expected = {
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "onnx/model.onnx",
        "onnx/model.onnx.data",
    }
    assert {file.path for file in manifest.files} == expected
    for path in expected:
        pulled, given = (root / path for root in (directory, source))
        assert (
            hashlib.sha256(pulled.read_bytes()).digest()
            == hashlib.sha256(given.read_bytes()).digest()
        )
