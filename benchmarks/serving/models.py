"""The models that are served: a tiny one, a convolutional net and a transformer, made by code.

Weights are random, from a fixed seed; what is measured does not depend on their values.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Arrays = dict[str, NDArray[Any]]

_OPSET = 17
_IR_VERSION = 8
_VOCABULARY, _WIDTH, _LAYERS, _HEADS, _LENGTH = 30522, 384, 6, 12, 32
# Channels, stride of the first block, expansion and number of blocks, as in MobileNetV2.
_STAGES = (
    (16, 1, 1, 1),
    (24, 2, 6, 2),
    (32, 2, 6, 3),
    (64, 2, 6, 4),
    (96, 1, 6, 3),
    (160, 2, 6, 3),
    (320, 1, 6, 1),
)


@dataclass(frozen=True)
class Model:
    """A model file, one row of its only input, and what its answer is called."""

    name: str
    path: Path
    input: str
    row: NDArray[Any]
    output: str


@dataclass
class _Graph:
    """Nodes and weights as they are added."""

    random: np.random.Generator
    nodes: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; return its output's name."""
        name = f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def constant(self, array: NDArray[Any]) -> str:
        """Add a constant; return its name."""
        name = f"weight{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def drawn(self, *shape: int, fan_in: int) -> str:
        """Add random weights that keep the scale of what goes through them."""
        array = self.random.standard_normal(shape) * np.sqrt(2 / fan_in)
        return self.constant(array.astype(np.float32))

    def dense(self, x: str, size_in: int, size_out: int) -> str:
        """Add a fully connected layer."""
        product = self.add("MatMul", x, self.drawn(size_in, size_out, fan_in=size_in))
        return self.add("Add", product, self.constant(np.zeros(size_out, np.float32)))

    def save(self, path: Path, x: Any, output: str, size_out: int) -> None:
        """Write the model, with rows first everywhere."""
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", size_out])
        self.nodes.append(helper.make_node("Identity", [output], ["y"]))
        graph = helper.make_graph(self.nodes, "graph", [x], [y], self.weights)
        opsets = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        path.write_bytes(model.SerializeToString())


def make(name: str, directory: Path) -> Model:
    """Make `tiny`, `conv` or `text`."""
    path = directory / f"{name}.onnx"
    build = {"tiny": _tiny, "conv": _conv, "text": _text}[name]
    row = build(path, _Graph(np.random.default_rng(0)))
    return Model(name, path, "x", row, "y")


def _tiny(path: Path, graph: _Graph) -> NDArray[Any]:
    """A perceptron: 64 → 128 → 64 → 10."""
    x = graph.add("Relu", graph.dense("x", 64, 128))
    x = graph.add("Relu", graph.dense(x, 128, 64))
    x = graph.add("Softmax", graph.dense(x, 64, 10), axis=1)
    graph.save(path, helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 64]), x, 10)
    return np.round(graph.random.standard_normal((1, 64)), 4).astype(np.float32)


def _conv(path: Path, graph: _Graph) -> NDArray[Any]:
    """MobileNetV2's shape: 14 MB, 3 x 224 x 224 → 1000."""
    x, channels = _convolved(graph, "x", 3, 32, 3, stride=2), 32
    for channels_out, stride, expansion, blocks in _STAGES:
        for block in range(blocks):
            x = _block(graph, x, channels, channels_out, stride if block == 0 else 1, expansion)
            channels = channels_out
    x = graph.add("GlobalAveragePool", _convolved(graph, x, channels, 1280, 1))
    x = graph.dense(graph.add("Flatten", x), 1280, 1000)
    shape = ["rows", 3, 224, 224]
    graph.save(path, helper.make_tensor_value_info("x", TensorProto.FLOAT, shape), x, 1000)
    return graph.random.standard_normal((1, 3, 224, 224)).astype(np.float32)


def _block(
    graph: _Graph, x: str, channels: int, channels_out: int, stride: int, expansion: int
) -> str:
    wide = channels * expansion
    y = _convolved(graph, x, channels, wide, 1) if expansion > 1 else x
    y = _convolved(graph, y, wide, wide, 3, stride=stride, groups=wide)
    y = _convolved(graph, y, wide, channels_out, 1, active=False)
    return graph.add("Add", x, y) if stride == 1 and channels == channels_out else y


def _convolved(
    graph: _Graph,
    x: str,
    channels: int,
    channels_out: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    active: bool = True,
) -> str:
    fan_in = channels // groups * kernel * kernel
    weights = graph.drawn(channels_out, channels // groups, kernel, kernel, fan_in=fan_in)
    y = graph.add(
        "Conv",
        x,
        weights,
        kernel_shape=[kernel, kernel],
        strides=[stride, stride],
        pads=[kernel // 2] * 4,
        group=groups,
    )
    return graph.add("Relu", y) if active else y


def _text(path: Path, graph: _Graph) -> NDArray[Any]:
    """MiniLM's shape: 6 layers of 384, 12 heads; 32 tokens → 384."""
    table = graph.drawn(_VOCABULARY, _WIDTH, fan_in=_WIDTH)
    places = graph.drawn(1, _LENGTH, _WIDTH, fan_in=_WIDTH)
    x = graph.add("Add", graph.add("Gather", table, "x", axis=0), places)
    for _ in range(_LAYERS):
        x = _normalised(graph, graph.add("Add", x, _attention(graph, x)))
        inner = graph.add("Relu", graph.dense(x, _WIDTH, 4 * _WIDTH))
        x = _normalised(graph, graph.add("Add", x, graph.dense(inner, 4 * _WIDTH, _WIDTH)))
    x = graph.add("ReduceMean", x, axes=[1], keepdims=0)
    tokens = helper.make_tensor_value_info("x", TensorProto.INT64, ["rows", _LENGTH])
    graph.save(path, tokens, x, _WIDTH)
    return graph.random.integers(0, _VOCABULARY, (1, _LENGTH))


def _attention(graph: _Graph, x: str) -> str:
    queries, keys, values = (
        _heads(graph, graph.dense(x, _WIDTH, _WIDTH), order)
        for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
    )
    scale = graph.constant(np.array((_WIDTH // _HEADS) ** -0.5, np.float32))
    scores = graph.add("Mul", graph.add("MatMul", queries, keys), scale)
    mixed = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), values)
    merged = graph.add("Transpose", mixed, perm=[0, 2, 1, 3])
    shape = graph.constant(np.array([0, 0, _WIDTH], np.int64))
    return graph.dense(graph.add("Reshape", merged, shape), _WIDTH, _WIDTH)


def _heads(graph: _Graph, x: str, order: list[int]) -> str:
    shape = graph.constant(np.array([0, 0, _HEADS, _WIDTH // _HEADS], np.int64))
    return graph.add("Transpose", graph.add("Reshape", x, shape), perm=order)


def _normalised(graph: _Graph, x: str) -> str:
    ones = graph.constant(np.ones(_WIDTH, np.float32))
    zeros = graph.constant(np.zeros(_WIDTH, np.float32))
    return graph.add("LayerNormalization", x, ones, zeros, axis=-1)
