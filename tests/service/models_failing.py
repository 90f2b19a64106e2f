"""ONNX models that load and then fail."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def never_computes(path: Path) -> Path:
    """`index` INT64[-1,1] → `y`: asks a table of one for its second row, whatever the index."""
    nodes = [
        helper.make_node("Mul", ["index", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "one"], ["second"]),
        helper.make_node("Gather", ["table", "second"], ["y"]),
    ]
    weights = [
        numpy_helper.from_array(np.array(0), "zero"),
        numpy_helper.from_array(np.array(1), "one"),
        numpy_helper.from_array(np.zeros(1, np.float32), "table"),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("index", TensorProto.INT64, ["rows", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 1])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path
