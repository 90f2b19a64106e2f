"""Samples: inputs to try a model on, from an `.npz` or from JSON as `/predict` takes it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman import validation
from pointsman.errors import InvalidModel
from pointsman.manifest import TensorSpec
from pointsman.validation.sample import load
from tests import models

X = TensorSpec(name="x", datatype="FP32", shape=(-1, 2))
N = TensorSpec(name="n", datatype="INT64", shape=(-1,))
WORDS = TensorSpec(name="words", datatype="BYTES", shape=(-1, 1))


def _json(tmp_path: Path, value: Any) -> Path:
    path = tmp_path / "sample.json"
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize(
    "value", [{"inputs": {"x": [[1, 2]]}}, {"x": [[1, 2]]}, {"inputs": [[1, 2]]}, [[1, 2]]]
)
def test_json_may_be_what_predict_takes_or_less(tmp_path: Path, value: Any) -> None:
    found = load(_json(tmp_path, value), [X])
    assert found["x"].dtype == np.float32
    assert found["x"].tolist() == [[1.0, 2.0]]


def test_every_input_gets_its_own_type(tmp_path: Path) -> None:
    found = load(_json(tmp_path, {"n": [3], "words": [["a"]], "x": [[1, 2]]}), [X, N, WORDS])
    assert [array.dtype.kind for array in found.values()] == ["f", "i", "O"]


@pytest.mark.parametrize("prefix", ["", "inputs/"])
def test_an_archive_may_name_inputs_plainly_or_be_a_golden_set(tmp_path: Path, prefix: str) -> None:
    path = tmp_path / "sample.npz"
    arrays = {f"{prefix}x": np.ones((1, 2)), "outputs/y": np.ones(1), "rtol": np.array(0.1)}
    np.savez(path, allow_pickle=False, **arrays)
    assert load(path, [X])["x"].tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"inputs": {"z": [[1, 2]]}}, "has the inputs z, and the model x"),
        ({}, "has the inputs none"),
        ({"x": [[1, 2, 3]]}, "has the shape"),
        ({"x": [1, 2]}, "has the shape"),
        ({"x": [["one", "two"]]}, "does not fit x FP32"),
        ({"x": [[1], [2, 3]]}, "does not fit x FP32"),
        ("text", "does not fit|has the shape"),
    ],
)
def test_a_sample_that_does_not_fit_is_one_sentence(
    tmp_path: Path, value: Any, complaint: str
) -> None:
    with pytest.raises(InvalidModel, match=complaint):
        load(_json(tmp_path, value), [X])


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[" * 100_000, b"{"])
def test_a_file_that_is_nothing_of_the_kind_is_refused(tmp_path: Path, data: bytes) -> None:
    for name in ("sample.json", "sample.npz"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InvalidModel, match=name):
            load(tmp_path / name, [X])


def test_a_missing_sample_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="No such file"):
        load(tmp_path / "none.json", [X])


def test_validation_tries_the_sample_where_there_is_no_golden_set(tmp_path: Path) -> None:
    """The model has four numbers, and fails for any other index than theirs."""
    model = models.gather(tmp_path / "model.onnx")
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('{"index": [[3]]}')
    bad.write_text('{"index": [[7]]}')
    assert validation.inspect(model, sample=good).inputs[0].name == "index"
    with pytest.raises(InvalidModel, match=r"fails on index int64\(1, 1\)"):
        validation.inspect(model, sample=bad)


def test_a_golden_set_comes_before_a_sample(tmp_path: Path) -> None:
    model = models.affine(tmp_path / "model.onnx")
    golden = models.affine_golden(tmp_path / "golden.npz")
    found = validation.inspect(model, golden, tmp_path / "none.json")
    assert found.golden is not None


def test_operators_are_counted_in_subgraphs_too(tmp_path: Path) -> None:
    found = validation.inspect(models.slow(tmp_path / "model.onnx"))
    assert found.onnx.operators["Mul"] == 2
    assert found.onnx.operators["Add"] == 2  # one of them in the loop's body
    assert found.onnx.operators["Loop"] == 1
