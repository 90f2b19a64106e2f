"""Publishing: what becomes a version, once and whole."""

from pathlib import Path

import numpy as np
import pytest

import pointsman
from pointsman import golden
from pointsman.cache import Cache
from pointsman.errors import VersionExists
from pointsman.publishing import Progress
from pointsman.registry import Registry
from pointsman.stores import open_store
from tests import models
from tests.registry.publishing import MODEL
from tests.servers.seaweedfs import SeaweedFS


def test_a_model_becomes_a_version_that_anybody_can_read(store_url: str, good: Path) -> None:
    published = pointsman.open(store_url).publish(MODEL, "v1", good, metrics={"accuracy": 0.97})

    registry = pointsman.open(store_url)
    found = registry.version(MODEL, "v1")
    assert published.created
    assert published.version == found
    assert registry.models() == [MODEL]
    assert [str(spec) for spec in found.manifest.inputs] == ["x FP32[-1,4]"]
    assert [str(spec) for spec in found.manifest.outputs] == ["y FP32[-1,4]"]
    assert found.manifest.metrics == {"accuracy": 0.97}
    assert found.manifest.onnx.opsets == {"ai.onnx": 17}
    assert found.manifest.measured.peak_rss_bytes > 0


def test_the_same_content_again_is_already_there_whatever_is_said_of_it(
    registry: Registry, good: Path
) -> None:
    first = registry.publish(MODEL, "v1", good)

    again = registry.publish(MODEL, "v1", good, metrics={"accuracy": 0.5}, note="hello")

    assert not again.created
    assert again.version == first.version
    assert registry.version(MODEL, "v1") == first.version


def test_other_content_under_a_taken_name_is_refused_and_says_whose_it_is(
    registry: Registry, good: Path
) -> None:
    first = registry.publish(MODEL, "v1", good)
    models.affine(good, factor=3)

    with pytest.raises(VersionExists) as caught:
        registry.publish(MODEL, "v1", good)

    assert first.version.manifest.by in caught.value.message
    assert "choose a new name" in caught.value.hint
    assert registry.version(MODEL, "v1") == first.version


def test_a_directory_is_published_whole_with_weights_and_golden_set_but_nothing_hidden(
    store_url: str, tmp_path: Path
) -> None:
    source = tmp_path / "export"
    models.with_external_data(source / "onnx" / "model.onnx")
    models.affine_golden(source / "golden.npz")
    (source / "tokenizer.json").write_text("{}")
    (source / ".git").mkdir()
    (source / ".git" / "config").write_text("secret")
    store = open_store(store_url)

    version = Registry(store).publish(MODEL, "v1", source).version

    directory = Cache(tmp_path / "cache").fetch(store, version)
    assert sorted(file.path for file in version.manifest.files) == [
        "golden.npz",
        "onnx/model.onnx",
        "onnx/model.onnx.data",
        "tokenizer.json",
    ]
    assert version.manifest.entrypoint == "onnx/model.onnx"
    assert version.manifest.golden is not None
    assert version.manifest.golden.rows == 3
    for file in version.manifest.files:
        assert (directory / file.path).read_bytes() == (source / file.path).read_bytes()


def test_a_single_file_brings_its_external_weights_along(
    registry: Registry, tmp_path: Path
) -> None:
    source = models.with_external_data(tmp_path / "model.onnx")
    version = registry.publish(MODEL, "v1", source).version
    assert [file.path for file in version.manifest.files] == ["model.onnx", "model.onnx.data"]


def test_a_golden_set_can_be_given_beside_the_model(
    registry: Registry, good: Path, tmp_path: Path
) -> None:
    examples = models.affine_golden(tmp_path / "mine.npz")
    version = registry.publish(MODEL, "v1", good, golden=examples).version
    assert [file.path for file in version.manifest.files] == ["golden.npz", "model.onnx"]


def test_a_model_of_strings_is_tried_with_a_golden_set_of_strings(
    registry: Registry, tmp_path: Path
) -> None:
    source = models.strings(tmp_path / "model.onnx")
    words = np.array([["grün", "b"]], dtype=object)
    golden.save(tmp_path / "golden.npz", {"x": words}, {"y": words})

    version = registry.publish(MODEL, "v1", source, golden=tmp_path / "golden.npz").version

    assert [str(spec) for spec in version.manifest.inputs] == ["x BYTES[-1,2]"]


def test_a_dry_run_does_everything_but_write(registry: Registry, good: Path) -> None:
    promised = registry.publish(MODEL, "v1", good, dry_run=True)

    assert promised.created
    assert list(registry.store.scan("models/")) == []


def test_progress_tells_each_stage_and_every_byte(registry: Registry, tmp_path: Path) -> None:
    source = models.heavy(tmp_path / "model.onnx", size=9 << 20)
    steps: list[str] = []
    expected: dict[str, int] = {}
    sent: dict[str, int] = {}

    def count(path: str, more: int) -> None:
        sent[path] = sent.get(path, 0) + more

    progress = Progress(steps.append, expected.__setitem__, count)
    registry.publish(MODEL, "v1", source, progress=progress)

    assert steps == ["validating", "hashing", "uploading"]
    assert sent == expected == {"model.onnx": source.stat().st_size}


def test_many_publishers_of_one_name_agree_on_one_version(
    s3_url: str, s3_server: SeaweedFS, good: Path
) -> None:
    """Whoever comes second finds the first one's version, and nothing is written twice."""
    first, second = pointsman.open(s3_url), pointsman.open(s3_url)

    def overtake(step: str) -> None:
        if step == "uploading":
            second.publish(MODEL, "v1", good)

    published = first.publish(MODEL, "v1", good, progress=Progress(step=overtake))

    assert not published.created
    assert published.version == first.version(MODEL, "v1")
