"""Publishing: what becomes a version, and everything that must not."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pointsman
from pointsman import golden, keys
from pointsman.cache import Cache
from pointsman.errors import (
    InvalidModel,
    InvalidName,
    PointsmanError,
    StoreDenied,
    StoreMisconfigured,
    StoreUnreachable,
    VersionExists,
)
from pointsman.publishing import Progress
from pointsman.registry import Registry
from pointsman.stores import open_store
from tests import models
from tests.fakes.memory_store import MemoryStore
from tests.fakes.unreliable_store import FlakyStore, OfflineStore
from tests.servers.seaweedfs import SeaweedFS

MODEL = "digits"


@pytest.fixture
def registry() -> Registry:
    return Registry(MemoryStore())


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return models.affine(tmp_path / "model.onnx")


def nothing_is_visible(registry: Registry) -> bool:
    return registry.models() == [] and not list(registry.store.scan(keys.versions(MODEL)))


def one_sentence(error: PointsmanError) -> bool:
    return "\n" not in error.message and 10 < len(error.message) < 400


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


def a_zip(path: Path) -> Path:
    path.write_bytes(b"PK\x03\x04 this is not a model")
    return path


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def without_its_data(path: Path) -> Path:
    models.with_external_data(path)
    path.with_name("model.onnx.data").unlink()
    return path


def with_half_its_data(path: Path) -> Path:
    models.with_external_data(path)
    path.with_name("model.onnx.data").write_bytes(b"\0" * 8)
    return path


def with_data_by_a_link_outside(path: Path) -> Path:
    models.with_external_data(path)
    data = path.with_name("model.onnx.data")
    data.replace(path.parent.parent / "outside.data")
    data.symlink_to(path.parent.parent / "outside.data")
    return path


def with_data_at_an_absolute_path(path: Path) -> Path:
    return models.escaping_external_data(path, str(path.parent.parent / "secret.bin"))


def two_models(path: Path) -> Path:
    models.affine(path.with_name("a.onnx"))
    models.affine(path.with_name("b.onnx"))
    return path.parent


def no_model(path: Path) -> Path:
    path.with_name("readme.txt").write_text("nothing here")
    return path.parent


def a_link_out(path: Path) -> Path:
    models.affine(path)
    path.with_name("passwd").symlink_to("/etc/passwd")
    return path.parent


def a_linked_directory(path: Path) -> Path:
    models.affine(path)
    path.with_name("more").symlink_to("/etc", target_is_directory=True)
    return path.parent


def an_unusable_name(path: Path) -> Path:
    models.affine(path)
    path.with_name("with:colon").write_text("")
    return path.parent


def too_large_a_sample(path: Path) -> Path:
    return models.echo(path, "FP32", ("rows", 1 << 20, 1 << 20))


@pytest.mark.parametrize("name", ["", "n" * 129, "a\x1b[31m"])
def test_metrics_and_labels_have_names_that_fit_a_table(
    registry: Registry, good: Path, name: str
) -> None:
    for said in ({"metrics": {name: 1.0}}, {"labels": {name: "x"}}):
        with pytest.raises(InvalidModel, match="cannot be the name of a metric or a label"):
            registry.publish(MODEL, "v1", good, **said)
    assert list(registry.store.scan("")) == []


BAD_INPUTS: list[tuple[Callable[[Path], Path], str]] = [
    (a_zip, "is no ONNX model: it is a zip archive, as PyTorch saves models"),
    (empty, "is not an ONNX model"),
    (models.truncated, "is not an ONNX model, or is cut short"),
    (models.never_loads, "does not load model.onnx: .*Unheard"),
    (without_its_data, "keeps weights in model.onnx.data, which is not beside it"),
    (with_half_its_data, "has 8 bytes, and model.onnx needs 16"),
    (models.escaping_external_data, "outside its own folder"),
    (with_data_at_an_absolute_path, "outside its own folder"),
    (with_data_by_a_link_outside, "keeps weights, is a link out of its folder"),
    (two_models, r"must hold one .onnx file and holds 2: \w+.onnx, \w+.onnx$"),
    (no_model, "must hold one .onnx file and holds none"),
    (a_link_out, "passwd is a link out of"),
    (a_linked_directory, "more is a link out of"),
    (an_unusable_name, "'with:colon' cannot be that of a file"),
    (too_large_a_sample, "a sample of x .* would have more than"),
    (lambda path: path, "there is no file or directory at"),
]


@pytest.mark.parametrize(("build", "complaint"), BAD_INPUTS, ids=range(len(BAD_INPUTS)))
def test_what_cannot_be_served_is_refused_in_one_sentence_and_leaves_nothing(
    registry: Registry, tmp_path: Path, build: Callable[[Path], Path], complaint: str
) -> None:
    (tmp_path / "source").mkdir()
    source = build(tmp_path / "source" / "model.onnx")

    with pytest.raises((InvalidModel, InvalidName), match=complaint) as caught:
        registry.publish(MODEL, "v1", source)

    assert one_sentence(caught.value)
    assert nothing_is_visible(registry)


def wrong_factor(path: Path) -> Path:
    return models.affine_golden(path, factor=3)


def wrong_names(path: Path) -> Path:
    golden.save(path, {"pixels": np.ones((1, 4), np.float32)}, {"y": np.ones((1, 4), np.float32)})
    return path


def wrong_shape(path: Path) -> Path:
    golden.save(path, {"x": np.ones((1, 5), np.float32)}, {"y": np.ones((1, 5), np.float32)})
    return path


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (wrong_factor, "does not reproduce its golden set: output 'y' differs at 11 of 12 values"),
        (wrong_names, "the golden set has the inputs pixels, and the model x"),
        (wrong_shape, "fails on x float32"),
        (a_zip, "is not a golden set"),
        (lambda path: path, "there is no golden set at"),
    ],
)
def test_a_model_that_does_not_reproduce_its_golden_set_is_refused(
    registry: Registry,
    good: Path,
    tmp_path: Path,
    build: Callable[[Path], Path],
    complaint: str,
) -> None:
    with pytest.raises(InvalidModel, match=complaint) as caught:
        registry.publish(MODEL, "v1", good, golden=build(tmp_path / "golden.npz"))

    assert one_sentence(caught.value)
    assert nothing_is_visible(registry)


def test_a_model_that_fails_on_the_sample_we_draw_asks_for_a_golden_set(
    registry: Registry, tmp_path: Path
) -> None:
    """Eight elements cannot be reshaped to three columns; a publisher knows what can."""
    source = models.reshaping(tmp_path / "model.onnx")

    with pytest.raises(InvalidModel, match=r"fails on x float32\(1, 8\)") as caught:
        registry.publish(MODEL, "v1", source)
    assert "golden set" in caught.value.hint

    x = np.arange(6, dtype=np.float32).reshape(1, 6)
    golden.save(tmp_path / "golden.npz", {"x": x}, {"y": x.reshape(1, 2, 3)})
    assert registry.publish(MODEL, "v1", source, golden=tmp_path / "golden.npz").created


@pytest.mark.parametrize("name", ["../v1", "a/b", "..", "", "a..b", ".v1"])
def test_a_name_that_could_escape_is_refused(registry: Registry, good: Path, name: str) -> None:
    with pytest.raises(InvalidName):
        registry.publish(MODEL, name, good)
    with pytest.raises(InvalidName):
        registry.publish(name, "v1", good)
    assert nothing_is_visible(registry)


def test_a_metric_that_is_no_finite_number_is_refused(registry: Registry, good: Path) -> None:
    with pytest.raises(InvalidModel, match="the metric loss is nan"):
        registry.publish(MODEL, "v1", good, metrics={"loss": float("nan")})
    assert nothing_is_visible(registry)


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


def test_a_file_that_changes_while_it_is_published_is_refused(
    registry: Registry, good: Path
) -> None:
    def retrain(step: str) -> None:
        if step == "uploading":
            models.affine(good, factor=3)

    with pytest.raises(InvalidModel, match="changed while it was being published"):
        registry.publish(MODEL, "v1", good, progress=Progress(step=retrain))
    assert nothing_is_visible(registry)


def test_publishing_again_restores_what_the_store_lost(
    registry: Registry, good: Path, tmp_path: Path
) -> None:
    version = registry.publish(MODEL, "v1", good).version
    registry.store.delete(keys.blob(MODEL, version.manifest.files[0].sha256))

    assert not registry.publish(MODEL, "v1", good).created
    Cache(tmp_path / "cache").fetch(registry.store, version)


@pytest.mark.parametrize("lost", ["upload", "create"])
def test_a_write_whose_answer_was_lost_is_recognised(
    registry: Registry, good: Path, lost: str
) -> None:
    flaky = FlakyStore(registry.store, lost)

    published = Registry(flaky).publish(MODEL, "v1", good)

    assert published.created
    assert registry.version(MODEL, "v1") == published.version
    assert flaky.calls.count(lost) == 1


def test_a_store_that_answers_nothing_is_an_error_and_not_a_version(
    registry: Registry, good: Path
) -> None:
    with pytest.raises(StoreUnreachable):
        Registry(OfflineStore(registry.store)).publish(MODEL, "v1", good)
    assert nothing_is_visible(registry)


def test_a_directory_that_cannot_be_written_is_refused_with_advice(
    tmp_path: Path, good: Path
) -> None:
    (tmp_path / "file").write_text("not a directory")
    registry = pointsman.open((tmp_path / "file" / "store").as_uri())

    with pytest.raises(StoreMisconfigured, match="Not a directory") as caught:
        registry.publish(MODEL, "v1", good)

    assert one_sentence(caught.value)
    assert "must be a directory" in caught.value.hint


def test_a_store_nobody_listens_at_is_unreachable(
    s3_url: str, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)

        with pytest.raises(StoreUnreachable, match="nobody listens there") as caught:
            pointsman.open(s3_url).publish(MODEL, "v1", good)

    assert one_sentence(caught.value)
    assert endpoint in caught.value.hint


def test_a_bucket_that_does_not_exist_is_named(s3_url: str, good: Path) -> None:
    registry = pointsman.open("s3://never-made/prefix")

    with pytest.raises(StoreMisconfigured, match="there is no bucket named never-made") as caught:
        registry.publish(MODEL, "v1", good)

    assert one_sentence(caught.value)
    assert "Create it" in caught.value.hint


@pytest.mark.parametrize(
    ("variable", "value", "cause"),
    [
        ("AWS_ACCESS_KEY_ID", "someone-else", "the access key does not exist"),
        ("AWS_SECRET_ACCESS_KEY", "not-the-secret", "the secret key is wrong"),
    ],
)
def test_credentials_that_do_not_fit_are_told_from_a_store_that_is_down(
    s3_url: str,
    good: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    cause: str,
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises((StoreMisconfigured, StoreDenied), match=cause) as caught:
        pointsman.open(s3_url).publish(MODEL, "v1", good)

    assert value not in caught.value.message
    assert variable in caught.value.hint


def test_the_source_may_vanish_and_is_then_missed_in_one_sentence(
    registry: Registry, tmp_path: Path
) -> None:
    source = tmp_path / "export"
    models.affine(source / "model.onnx")

    def lose(step: str) -> None:
        if step == "hashing":
            shutil.rmtree(source)

    with pytest.raises(InvalidModel, match=r"cannot read .*model.onnx: No such file"):
        registry.publish(MODEL, "v1", source, progress=Progress(step=lose))
    assert nothing_is_visible(registry)


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
