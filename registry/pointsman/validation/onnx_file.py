"""What an ONNX file says of itself, read without running it; the only importer of `onnx`."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from pointsman.errors import InvalidModel, InvalidName
from pointsman.manifest import OnnxInfo
from pointsman.names import inner_path
from pointsman.validation import lookalikes

_EXPORT_AGAIN = "Export the model again and publish the file that comes out."


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """A parsed model without its external data."""

    proto: Any
    info: OnnxInfo


def describe(path: Path) -> OnnxFile:
    """Parse `path`; raises `InvalidModel` when it is missing, cut short, or something else."""
    try:
        # By name: the library would guess another format from the file's suffix.
        proto = onnx.load(path, format="protobuf", load_external_data=False)
    except DecodeError as error:
        raise _not_onnx(path) from error
    except OSError as error:
        raise InvalidModel(f"cannot read {path}: {error.strerror}") from error
    if not proto.opset_import or not proto.graph.output:
        raise InvalidModel(f"{path.name} is not an ONNX model: it has no graph", _EXPORT_AGAIN)
    info = OnnxInfo(
        ir_version=proto.ir_version,
        opsets={opset.domain or "ai.onnx": opset.version for opset in proto.opset_import},
        producer=f"{proto.producer_name} {proto.producer_version}".strip(),
        operators=dict(sorted(Counter(_operators(proto)).items())),
    )
    return OnnxFile(proto, info)


def external_files(model: OnnxFile, path: Path) -> tuple[str, ...]:
    """Return the data files the model refers to, relative to its folder, sorted.

    Raises `InvalidModel` when one is missing, too short for what is read from it, or outside
    the folder: a published version could then not be whole.
    """
    needed: dict[str, int] = {}
    for tensor in _tensors(model.proto):
        if uses_external_data(tensor):
            location, end = _reference(tensor, path)
            needed[location] = max(end, needed.get(location, 0))
    for location, end in needed.items():
        _check_external(location, end, path)
    return tuple(sorted(needed))


def _not_onnx(path: Path) -> InvalidModel:
    if found := lookalikes.recognised(path):
        kind, remedy = found
        return InvalidModel(f"{path.name} is no ONNX model: it is {kind}", remedy)
    return InvalidModel(f"{path.name} is not an ONNX model, or is cut short", _EXPORT_AGAIN)


def _reference(tensor: Any, model: Path) -> tuple[str, int]:
    """Return where a tensor's data lies, and how long that file must be at least."""
    try:
        part = ExternalDataInfo(tensor)
    except ValueError as error:
        raise InvalidModel(f"{model.name} is broken: {error}", _EXPORT_AGAIN) from error
    return part.location, (part.offset or 0) + (part.length or 0)


def _check_external(location: str, end: int, model: Path) -> None:
    try:
        inner_path(location)
    except InvalidName as error:
        raise InvalidModel(
            f"{model.name} keeps weights in {location!r}, outside its own folder",
            "Put the data file beside the model and save the model with a relative location.",
        ) from error
    data = model.parent / location
    if data.is_file() and not data.resolve().is_relative_to(model.parent.resolve()):
        raise InvalidModel(
            f"{location}, where {model.name} keeps weights, is a link out of its folder",
            f"Copy what the links point to, and publish the copy: `cp -rL {model.parent} COPY`.",
        )
    if not data.is_file():
        raise InvalidModel(
            f"{model.name} keeps weights in {location}, which is not beside it",
            f"Put {location} into {model.parent}.",
        )
    if data.stat().st_size < end:
        raise InvalidModel(
            f"{location} has {data.stat().st_size} bytes, and {model.name} needs {end} of it",
            "The data file is cut short or belongs to another model; export both again.",
        )


def _operators(proto: Any) -> Iterator[str]:
    """Yield the operator of every node, in subgraphs and functions too."""
    for node in (*_nodes(proto.graph.node), *(n for f in proto.functions for n in _nodes(f.node))):
        standard = node.domain in {"", "ai.onnx"}
        yield node.op_type if standard else f"{node.domain}.{node.op_type}"


def _nodes(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _nodes(graph.node)


def _tensors(proto: Any) -> Iterator[Any]:
    """Yield every tensor that could have its data elsewhere, in subgraphs and functions too."""
    yield from _graph_tensors(proto.graph)
    for function in proto.functions:
        yield from _node_tensors(function.node)


def _graph_tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _node_tensors(graph.node)


def _node_tensors(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _graph_tensors(graph)
