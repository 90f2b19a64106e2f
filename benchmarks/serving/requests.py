"""The requests that are sent: one row of a model, as each service wants to have it."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.serving.models import Model

KEY = "benchmark-key-of-32-characters-00"
_DATATYPES = {"float32": "FP32", "int64": "INT64"}
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Request:
    """A request, without host and length."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """Return the request as it goes over the wire."""
        lines = [
            f"POST {self.path} HTTP/1.1",
            "Host: bench",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def named(model: Model, path: str = "/predict", **headers: str) -> Request:
    """`{"inputs": [[…]]}`, as pointsman and the plain service take it."""
    body = json.dumps({"inputs": model.row.tolist()}).encode()
    return Request(path, body, {"Content-Type": "application/json", **headers})


def member(model: Model, path: str, name: str) -> Request:
    """`{name: [[…]]}`."""
    body = json.dumps({name: model.row.tolist()}).encode()
    return Request(path, body, {"Content-Type": "application/json"})


def open_inference(model: Model, name: str, input_name: str = "x", **headers: str) -> Request:
    """The Open Inference Protocol, in JSON."""
    tensor = _described(model, input_name) | {"data": model.row.ravel().tolist()}
    body = json.dumps({"id": "1", "inputs": [tensor]}).encode()
    return Request(
        f"/v2/models/{name}/infer", body, {"Content-Type": "application/json", **headers}
    )


def open_inference_binary(model: Model, name: str, **headers: str) -> Request:
    """The Open Inference Protocol, with binary tensors both ways."""
    blob = model.row.tobytes()
    tensor = _described(model, "x") | {"parameters": {"binary_data_size": len(blob)}}
    document = {"id": "1", "inputs": [tensor], "parameters": {"binary_data_output": True}}
    head = json.dumps(document).encode()
    return Request(
        f"/v2/models/{name}/infer",
        head + blob,
        {
            "Content-Type": "application/octet-stream",
            "Inference-Header-Content-Length": str(len(head)),
            **headers,
        },
    )


def is_right(body: bytes, expected: NDArray[Any]) -> bool:
    """Tell whether an answer holds the model's output, wherever and however it says it."""
    wanted = expected.ravel()
    binary = body[-wanted.nbytes :]
    if len(binary) == wanted.nbytes and np.allclose(
        np.frombuffer(binary, wanted.dtype), wanted, _TOLERANCE, _TOLERANCE
    ):
        return True
    try:
        found = np.array(list(_numbers(json.loads(body))))
    except ValueError:
        return False
    return any(
        math.isclose(found[start], wanted[0], rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
        and np.allclose(found[start : start + wanted.size], wanted, _TOLERANCE, _TOLERANCE)
        for start in range(len(found) - wanted.size + 1)
    )


def _described(model: Model, input_name: str) -> dict[str, Any]:
    datatype = _DATATYPES[model.row.dtype.name]
    return {"name": input_name, "shape": list(model.row.shape), "datatype": datatype}


def _numbers(document: Any) -> Iterator[float]:
    if isinstance(document, dict):
        for value in document.values():
            yield from _numbers(value)
    elif isinstance(document, list):
        for value in document:
            yield from _numbers(value)
    elif isinstance(document, int | float):
        yield float(document)
