"""Tiny real ONNX models, built with the `onnx` package: good ones, odd ones and broken ones.

Every builder writes to the path it is given and returns it. Inputs and outputs have their rows
first. Where a `factor` can be given, the answer tells which model computed it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pointsman import golden

_IR_VERSION = 8
_OPSET = 17
_STEPS_PER_ROUND = 45_000
_LEAST_STEPS = 3_000
SPARSE_VALUE = 42.0

_ELEMENTS = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "INT8": TensorProto.INT8,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "UINT64": TensorProto.UINT64,
    "INT16": TensorProto.INT16,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "BF16": TensorProto.BFLOAT16,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}


def affine(path: Path, factor: float = 2.0) -> Path:
    """`x` FP32[-1,4] → `y` = x * factor."""
    node = helper.make_node("Mul", ["x", "factor"], ["y"])
    weights = _initializer("factor", np.array(factor, np.float32))
    return _save(path, [node], [_tensor("x", "FP32")], [_tensor("y", "FP32")], [weights])


def affine_golden(path: Path, factor: float = 2.0, rows: int = 3) -> Path:
    """A golden set that `affine(…, factor)` reproduces."""
    x = np.arange(rows * 4, dtype=np.float32).reshape(rows, 4)
    golden.save(path, {"x": x}, {"y": x * np.float32(factor)})
    return path


def pair(path: Path, factor: float = 2.0) -> Path:
    """`a` FP32[-1,4], `b` FP32[-1,4] → `total` = (a + b) * factor, `difference` = a - b."""
    nodes = [
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Mul", ["sum", "factor"], ["total"]),
        helper.make_node("Sub", ["a", "b"], ["difference"]),
    ]
    inputs = [_tensor("a", "FP32"), _tensor("b", "FP32")]
    outputs = [_tensor("total", "FP32"), _tensor("difference", "FP32")]
    return _save(path, nodes, inputs, outputs, [_initializer("factor", np.float32(factor))])


def echo(path: Path, datatype: str, shape: Sequence[int | str] = ("rows", 2)) -> Path:
    """`x` → `y` = x, of any datatype: BOOL, INT64, BYTES and the others."""
    node = helper.make_node("Identity", ["x"], ["y"])
    return _save(path, [node], [_tensor("x", datatype, shape)], [_tensor("y", datatype, shape)])


def echoes(path: Path, datatypes: Sequence[str]) -> Path:
    """For every datatype an input `x_<datatype>` [-1,2] and an output `y_<datatype>`, the same."""
    shape = ("rows", 2)
    nodes = [helper.make_node("Identity", [f"x_{each}"], [f"y_{each}"]) for each in datatypes]
    inputs = [_tensor(f"x_{each}", each, shape) for each in datatypes]
    outputs = [_tensor(f"y_{each}", each, shape) for each in datatypes]
    return _save(path, nodes, inputs, outputs)


def halved(path: Path, datatype: str = "FP32") -> Path:
    """`x` BF16[-1,2] and `text` BYTES[-1,2] → `y` = x in another datatype, `said` = text."""
    shape = ("rows", 2)
    nodes = [
        helper.make_node("Cast", ["x"], ["y"], to=_ELEMENTS[datatype]),
        helper.make_node("Identity", ["text"], ["said"]),
    ]
    inputs = [_tensor("x", "BF16", shape), _tensor("text", "BYTES", shape)]
    outputs = [_tensor("y", datatype, shape), _tensor("said", "BYTES", shape)]
    return _save(path, nodes, inputs, outputs)


def integers(path: Path) -> Path:
    """`x` INT64[-1,2] → `y` = x."""
    return echo(path, "INT64")


def strings(path: Path) -> Path:
    """`x` BYTES[-1,2] → `y` = x."""
    return echo(path, "BYTES")


def slow(path: Path, factor: int = 2) -> Path:
    """`rounds` INT64[-1,1] → `y` = rounds * factor, after about 0.1 s per round.

    The row with the most rounds decides. Zero rounds still take some milliseconds, so that
    nobody measures this model as a fast one.
    """
    nodes = [
        helper.make_node("ReduceMax", ["rounds"], ["most"], keepdims=0),
        helper.make_node("Mul", ["most", "steps_per_round"], ["wanted"]),
        helper.make_node("Max", ["wanted", "least_steps"], ["steps"]),
        helper.make_node("Loop", ["steps", "", "zero"], ["counted"], body=_counting()),
        helper.make_node("Sub", ["counted", "steps"], ["nothing"]),
        helper.make_node("Mul", ["rounds", "factor"], ["product"]),
        helper.make_node("Add", ["product", "nothing"], ["y"]),
    ]
    constants = {
        "steps_per_round": _STEPS_PER_ROUND,
        "least_steps": _LEAST_STEPS,
        "zero": 0,
        "factor": factor,
    }
    weights = [_initializer(name, np.array(value)) for name, value in constants.items()]
    shape = ("rows", 1)
    inputs, outputs = [_tensor("rounds", "INT64", shape)], [_tensor("y", "INT64", shape)]
    return _save(path, nodes, inputs, outputs, weights)


def gather(path: Path) -> Path:
    """`index` INT64[-1,1] → `y` FP32[-1,1], one of four numbers; fails for any other index."""
    node = helper.make_node("Gather", ["table", "index"], ["y"], axis=0)
    table = _initializer("table", np.arange(4, dtype=np.float32))
    shape = ("rows", 1)
    return _save(
        path, [node], [_tensor("index", "INT64", shape)], [_tensor("y", "FP32", shape)], [table]
    )


def with_external_data(path: Path, factor: float = 2.0) -> Path:
    """`affine` for rows of four, with its four weights in `<name>.data` beside it."""
    location = f"{path.name}.data"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(location).write_bytes(np.full(4, factor, np.float32).tobytes())
    return _external(path, location)


def sparse_external_data(path: Path, size: int) -> Path:
    """`index` INT64[-1,1] → `y` FP32[-1,1] out of a table of `size` bytes in `<name>.data`.

    The file is a hole but for the row 5 of its first tensor, which holds SPARSE_VALUE; three
    tensors share it, because none may be as large.
    """
    data = path.with_name(f"{path.name}.data")
    data.parent.mkdir(parents=True, exist_ok=True)
    part = size // 3 // 4096 * 4096
    with data.open("wb") as file:
        file.truncate(size)
        file.seek(5 * 4)
        file.write(np.float32(SPARSE_VALUE).tobytes())
    tables = [_external_table(f"table{n}", data.name, n * part, part) for n in range(3)]
    names = [f"part{n}" for n in range(3)]
    gathers = [
        helper.make_node("Gather", [table.name, "index"], [name], axis=0)
        for table, name in zip(tables, names, strict=True)
    ]
    shape = ("rows", 1)
    inputs, outputs = [_tensor("index", "INT64", shape)], [_tensor("y", "FP32", shape)]
    return _save(path, [*gathers, helper.make_node("Sum", names, ["y"])], inputs, outputs, tables)


def escaping_external_data(path: Path, location: str = "../secret.bin") -> Path:
    """A model that asks for weights outside its folder; they are really there."""
    target = path.parent / location
    target.write_bytes(np.full(4, 2, np.float32).tobytes())
    return _external(path, location)


def reshaping(path: Path) -> Path:
    """`x` FP32[-1,-1] → `y` FP32[1,-1,3], the same numbers in rows of three; else it fails."""
    node = helper.make_node("Reshape", ["x", "shape"], ["y"])
    shape = _initializer("shape", np.array([1, -1, 3], np.int64))
    inputs, outputs = [_tensor("x", "FP32", ("a", "b"))], [_tensor("y", "FP32", (1, "c", 3))]
    return _save(path, [node], inputs, outputs, [shape])


def never_loads(path: Path) -> Path:
    """A valid protobuf with an operator that no runtime knows."""
    node = helper.make_node("Unheard", ["x"], ["y"])
    return _save(path, [node], [_tensor("x", "FP32")], [_tensor("y", "FP32")])


def truncated(path: Path) -> Path:
    """The first part of a good model's bytes."""
    data = affine(path).read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    return path


def heavy(path: Path, size: int, factor: float = 2.0) -> Path:
    """`affine` with `size` bytes of ballast that does not compress, the same every time."""
    ballast = np.random.default_rng(7).integers(0, 256, size, dtype=np.uint8)
    weights = [
        _initializer("factor", np.array(factor, np.float32)),
        _initializer("ballast", ballast),
    ]
    node = helper.make_node("Mul", ["x", "factor"], ["y"])
    return _save(path, [node], [_tensor("x", "FP32")], [_tensor("y", "FP32")], weights)


def _external_table(name: str, location: str, offset: int, length: int) -> Any:
    table = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[length // 4])
    table.data_location = TensorProto.EXTERNAL
    where = {"location": location, "offset": str(offset), "length": str(length)}
    for key, value in where.items():
        table.external_data.add(key=key, value=value)
    return table


def _external(path: Path, location: str) -> Path:
    weights = TensorProto(name="factors", data_type=TensorProto.FLOAT, dims=[4])
    weights.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        weights.external_data.add(key=key, value=value)
    node = helper.make_node("Mul", ["x", "factors"], ["y"])
    return _save(path, [node], [_tensor("x", "FP32")], [_tensor("y", "FP32")], [weights])


def _counting() -> Any:
    """A loop's body that adds one to its state."""
    nodes = [
        helper.make_node("Identity", ["going"], ["going_on"]),
        helper.make_node("Add", ["count", "one"], ["counted_on"]),
    ]
    inputs = [
        _tensor("i", "INT64", ()),
        _tensor("going", "BOOL", ()),
        _tensor("count", "INT64", ()),
    ]
    outputs = [_tensor("going_on", "BOOL", ()), _tensor("counted_on", "INT64", ())]
    return helper.make_graph(nodes, "counting", inputs, outputs, [_initializer("one", np.array(1))])


def _initializer(name: str, array: NDArray[Any] | np.generic) -> Any:
    return numpy_helper.from_array(np.asarray(array), name)


def _tensor(name: str, datatype: str, shape: Sequence[int | str] = ("rows", 4)) -> Any:
    return helper.make_tensor_value_info(name, _ELEMENTS[datatype], list(shape))


def _save(
    path: Path,
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    initializers: Sequence[Any] = (),
) -> Path:
    graph = helper.make_graph(nodes, "graph", inputs, outputs, initializers)
    opsets = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(
        graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="pointsman-tests"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path
