"""BF16, the datatype that numpy lacks."""

from pathlib import Path

import numpy as np
import pytest

from pointsman import bfloat16, golden
from pointsman.errors import InvalidModel
from pointsman.session import Session
from tests import models


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (0.0, 0.0),
        (-1.5, -1.5),
        (1.00390625, 1.0),  # half-way between two, and 1.0 is the even one
        (1.01171875, 1.015625),  # half-way again, and the even one is above
        (1.004, 1.0078125),
        (3.3961776e38, np.inf),
        (np.inf, np.inf),
        (-np.inf, -np.inf),
        (np.nan, np.nan),
    ],
)
def test_numbers_are_rounded_to_the_nearest(value: float, rounded: float) -> None:
    halves = bfloat16.from_float32(np.array([[value]], np.float32))
    assert (halves.shape, halves.dtype.itemsize) == ((1, 1), 2)
    np.testing.assert_array_equal(bfloat16.to_float32(halves), [[np.float32(rounded)]])


def test_every_one_comes_back_as_it_was() -> None:
    every = np.arange(1 << 16, dtype="<u2").view(bfloat16.DTYPE)
    numbers = bfloat16.to_float32(every)
    there_and_back = bfloat16.from_float32(numbers)
    finite = ~np.isnan(numbers)
    assert (there_and_back[finite] == every[finite]).all()
    assert np.isnan(bfloat16.to_float32(there_and_back[~finite])).all()


def test_a_model_computes_with_them_beside_other_datatypes(tmp_path: Path) -> None:
    session = Session(models.echoes(tmp_path / "model.onnx", ["BF16", "BOOL", "FP32"]))
    numbers = np.array([[1.5, -2.0]], np.float32)
    truths = np.array([[True, False]])
    feed = {"x_BF16": bfloat16.from_float32(numbers), "x_BOOL": truths, "x_FP32": numbers}
    computed = session.run(feed)
    assert bfloat16.to_float32(computed["y_BF16"]).tolist() == [[1.5, -2.0]]
    assert computed["y_BOOL"].tolist() == [[True, False]]
    assert computed["y_FP32"].tolist() == [[1.5, -2.0]]


def test_a_model_takes_them_beside_strings_and_cannot_give_them(tmp_path: Path) -> None:
    session = Session(models.halved(tmp_path / "model.onnx"))
    numbers = np.array([[1.5, -2.0]], np.float32)
    texts = np.array([["a", "ä"]], object)
    computed = session.run({"x": bfloat16.from_float32(numbers), "text": texts})
    assert computed["y"].tolist() == [[1.5, -2.0]]
    assert computed["said"].tolist() == [["a", "ä"]]
    with pytest.raises(InvalidModel, match="takes strings and gives BF16"):
        Session(models.halved(tmp_path / "bf16.onnx", "BF16"))


def test_a_golden_set_of_them_is_stored_and_compared_as_numbers(tmp_path: Path) -> None:
    halves = bfloat16.from_float32(np.array([[1.0]], np.float32))
    golden.save(tmp_path / "golden.npz", {"x": halves}, {"y": halves})
    loaded = golden.load(tmp_path / "golden.npz")
    assert golden.mismatch(loaded, {"y": halves}) == ""
    other = bfloat16.from_float32(np.array([[1.1]], np.float32))
    assert "differs at 1 of 1 values, by up to 0.102" in golden.mismatch(loaded, {"y": other})
