"""What must not become a version: it is refused in one sentence, and leaves nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pointsman import golden
from pointsman.errors import InvalidModel, InvalidName
from pointsman.registry import Registry
from tests import models
from tests.registry.publishing import MODEL, nothing_is_visible, one_sentence


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
