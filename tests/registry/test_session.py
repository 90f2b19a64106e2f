"""The contact with ONNX Runtime: signatures, results, and reasons that people can read."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from pointsman import datatypes
from pointsman.errors import InvalidModel
from pointsman.manifest import TensorSpec
from pointsman.session import RunFailed, Session
from pointsman.validation.sample import draw
from tests import models

DATATYPES = list(datatypes.NUMPY)


@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_datatype_is_told_drawn_and_computed(tmp_path: Path, datatype: str) -> None:
    session = Session(models.echo(tmp_path / "model.onnx", datatype, ("rows", 2, "any")))
    sample = draw(session.inputs)

    computed = session.run(sample)

    assert session.inputs == (TensorSpec(name="x", datatype=datatype, shape=(-1, 2, -1)),)
    assert sample["x"].shape == (1, 2, 8)
    assert computed["y"].dtype == datatypes.NUMPY[datatype]
    np.testing.assert_array_equal(computed["y"], sample["x"])


def test_outputs_come_by_name_in_the_order_of_the_signature(tmp_path: Path) -> None:
    session = Session(models.pair(tmp_path / "model.onnx"))
    ones = np.ones((2, 4), np.float32)

    computed = session.run({"b": ones, "a": ones * 3})

    assert list(computed) == [spec.name for spec in session.outputs] == ["total", "difference"]
    np.testing.assert_array_equal(computed["total"], ones * 8)
    np.testing.assert_array_equal(computed["difference"], ones * 2)


def test_threads_may_run_one_session_at_once(tmp_path: Path) -> None:
    session = Session(models.slow(tmp_path / "model.onnx"))
    feeds = [{"rounds": np.array([[0], [number]], np.int64)} for number in (0, 1, 0, 1)]

    with ThreadPoolExecutor(4) as pool:
        computed = list(pool.map(session.run, feeds))

    assert [outputs["y"][1, 0] for outputs in computed] == [0, 2, 0, 2]


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (np.array([[99]]), "indices element out of data bounds, idx=99"),
        (np.array([[1.0]]), "Unexpected input data type"),
        (np.array([1]), "Invalid rank for input: index"),
    ],
)
def test_a_run_that_fails_gives_its_reason_without_codes(
    tmp_path: Path, index: np.ndarray[tuple[int, ...], np.dtype[np.generic]], reason: str
) -> None:
    session = Session(models.gather(tmp_path / "model.onnx"))

    with pytest.raises(RunFailed) as caught:
        session.run({"index": index})

    assert str(caught.value).startswith(reason)
    assert "ONNXRuntimeError" not in str(caught.value)


def test_a_model_the_runtime_does_not_know_gives_its_reason_without_codes(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel) as caught:
        Session(models.never_loads(tmp_path / "model.onnx"))

    assert "does not load model.onnx: No Op registered for Unheard" in caught.value.message
    assert str(tmp_path) not in caught.value.message


def test_an_output_that_is_no_tensor_is_refused_with_the_way_out(tmp_path: Path) -> None:
    node = helper.make_node(
        "ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_strings=["cat", "dog"]
    )
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
    mapping = helper.make_map_type_proto(TensorProto.STRING, tensor)
    y = helper.make_value_info("y", helper.make_sequence_type_proto(mapping))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 2])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(
        helper.make_graph([node], "graph", [x], [y]), opset_imports=opsets, ir_version=8
    )
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())

    with pytest.raises(InvalidModel, match="only tensors can be served") as caught:
        Session(path)
    assert "zipmap" in caught.value.hint


def test_a_sample_too_large_to_try_is_not_made() -> None:
    with pytest.raises(InvalidModel, match="more than"):
        draw([TensorSpec(name="x", datatype="FP32", shape=(-1, 1 << 40))])


def test_a_session_that_shrinks_goes_on_computing(tmp_path: Path) -> None:
    session = Session(models.affine(tmp_path / "model.onnx"))
    many = {"x": np.ones((1000, 4), np.float32)}
    session.run(many)
    session.shrink({"x": many["x"][:1]})
    assert session.run(many)["y"].shape == (1000, 4)
    with pytest.raises(RunFailed):
        session.shrink({"x": np.ones((1, 4), np.int64)})
