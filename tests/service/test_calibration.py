"""Measuring how a model is best run, with real models."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from pointsman.errors import InvalidModel
from pointsman.session import Session
from pointsman.validation.sample import draw
from pointsman_service.serving import calibration
from tests import models
from tests.service.models_failing import never_computes

ONE_ROW: dict[str, NDArray[Any]] = {"x": np.arange(4, dtype=np.float32).reshape(1, 4)}


def over_the_batch(path: Path) -> Path:
    """`x` FP32[-1,4] → `y` = x less the mean of all rows."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0]),
        helper.make_node("Sub", ["x", "mean"], ["y"]),
    ]
    tensors = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 4]) for n in "xy"]
    graph = helper.make_graph(nodes, "graph", tensors[:1], tensors[1:])
    opsets = [helper.make_opsetid("", 17)]
    path.write_bytes(
        helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    )
    return path


def test_a_model_that_answers_row_by_row_may_be_batched(tmp_path: Path) -> None:
    session = Session(models.affine(tmp_path / "model.onnx"))
    assert calibration.measure(session, ONE_ROW, 16).most_rows == 16


def test_a_model_that_mixes_its_rows_is_never_batched(tmp_path: Path) -> None:
    session = Session(over_the_batch(tmp_path / "model.onnx"))
    pace = calibration.measure(session, ONE_ROW, 16)
    assert (pace.most_rows, pace.best_rows) == (1, 1)


def test_a_model_with_a_fixed_first_dimension_is_never_batched(tmp_path: Path) -> None:
    session = Session(models.echo(tmp_path / "model.onnx", "FP32", (1, 4)))
    assert calibration.measure(session, ONE_ROW, 16).most_rows == 1


def test_batching_can_be_forbidden(tmp_path: Path) -> None:
    session = Session(models.affine(tmp_path / "model.onnx"))
    assert calibration.measure(session, ONE_ROW, 1).most_rows == 1


def test_what_is_larger_than_the_sample_is_not_known_to_be_quick(tmp_path: Path) -> None:
    session = Session(models.echo(tmp_path / "model.onnx", "FP32", (-1, -1)))
    pace = calibration.measure(session, ONE_ROW, 16)
    assert pace.by_elements
    assert pace.is_quick(1, 4)
    assert not pace.is_quick(1, 5)


def test_where_all_rows_are_of_one_size_none_is_looked_at(tmp_path: Path) -> None:
    session = Session(models.affine(tmp_path / "model.onnx"))
    assert not calibration.measure(session, ONE_ROW, 16).by_elements


@pytest.mark.parametrize("build", [models.pair, models.strings, models.integers, models.gather])
def test_all_kinds_of_inputs_can_be_measured(tmp_path: Path, build: Any) -> None:
    session = Session(build(tmp_path / "model.onnx"))
    pace = calibration.measure(session, draw(session.inputs), 8)
    assert pace.most_rows == 8
    assert pace.expected(1) > 0


def test_a_model_that_cannot_compute_its_sample_is_refused(tmp_path: Path) -> None:
    session = Session(never_computes(tmp_path / "model.onnx"))
    with pytest.raises(InvalidModel, match="fails on a sample input"):
        calibration.measure(session, draw(session.inputs), 8)
