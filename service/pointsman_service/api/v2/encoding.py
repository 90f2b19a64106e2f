"""From what a model computed to the bytes of an inference response; pure.

An answer without binary outputs is plain JSON. With one, the JSON comes first, its length in
`Inference-Header-Content-Length`, and the tensors follow in the order of the outputs.
"""

import json
from collections.abc import Hashable
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from pointsman import bfloat16
from pointsman.manifest import TensorSpec, Version
from pointsman_service.api.v2 import binary, classification
from pointsman_service.api.v2.inference_request import InferenceRequest
from pointsman_service.errors import InputInvalid
from pointsman_service.tensors import Arrays

Header = tuple[bytes, bytes]

JSON = b"application/json"
BINARY = b"application/octet-stream"
JSON_HEADERS = ((b"content-type", JSON),)

_MOST_DESCRIBED = 64


class Form:
    """What is the same in many answers of a version; used in any thread."""

    def __init__(self, version: Version) -> None:
        manifest = version.manifest
        name, number = orjson.dumps(manifest.model), orjson.dumps(manifest.version)
        told = {"version": manifest.version, "digest": version.digest}
        self.begin = b'{"model_name":%b,"model_version":%b,"id":' % (name, number)
        self.middle = b',"parameters":%b,"outputs":' % orjson.dumps(told)
        self.specs = {spec.name: spec for spec in manifest.outputs}
        self.described: dict[Hashable, bytes] = {}
        """Outputs in binary as they are described, by all that this depends on."""

    def document(self, identifier: str, outputs: bytes) -> bytes:
        """Return the JSON of an answer whose outputs are described so."""
        return b"".join((self.begin, orjson.dumps(identifier), self.middle, outputs, b"}"))


def encode(
    request: InferenceRequest, outputs: Arrays, form: Form
) -> tuple[tuple[Header, ...], bytes]:
    """Return the headers (with the content type, without the length) and the body of an answer.

    Raises `InputInvalid` for an output that JSON cannot say in the way that was asked for.
    """
    blobs: list[binary.Buffer] = []
    for asked in request.outputs:
        if asked.classes or not asked.binary:
            described = _described(request, outputs, form, blobs)
            break
    else:
        described = _all_in_binary(request, outputs, form, blobs)
    document = form.document(request.id, described)
    if not blobs:
        return JSON_HEADERS, document
    length = b"%d" % len(document)
    headers = ((b"content-type", BINARY), (b"inference-header-content-length", length))
    return headers, b"".join((document, *blobs))


def _all_in_binary(
    request: InferenceRequest, outputs: Arrays, form: Form, blobs: list[binary.Buffer]
) -> bytes:
    """Describe outputs whose description says nothing of their values, and add their bytes."""
    shapes = []
    for asked in request.outputs:
        array = outputs[asked.name]
        blob = binary.write(array)
        blobs.append(blob)
        shapes.append((asked.name, array.shape, len(blob)))
    key = tuple(shapes)
    known = form.described.get(key)
    if known is None:
        if len(form.described) >= _MOST_DESCRIBED:
            form.described.clear()
        entries = [_entry(form.specs[name], shape, size) for name, shape, size in key]
        known = form.described[key] = orjson.dumps(entries)
    return known


def _described(
    request: InferenceRequest, outputs: Arrays, form: Form, blobs: list[binary.Buffer]
) -> bytes:
    """Describe outputs, their values among it unless they are asked for in binary."""
    described: list[dict[str, Any]] = []
    for asked in request.outputs:
        array, spec = outputs[asked.name], form.specs[asked.name]
        if asked.classes:
            array, spec = classification.classify(array, spec, asked.classes)
        if asked.binary:
            blobs.append(binary.write(array))
            entry = _entry(spec, array.shape, len(blobs[-1]))
        else:
            entry = _entry(spec, array.shape) | {"data": _data(array, request.non_finite)}
        described.append(entry)
    text = orjson.dumps(described, option=orjson.OPT_SERIALIZE_NUMPY)
    # What JSON cannot say is written as null; nearly always a look for that word is enough.
    if not request.non_finite and b"null" in text:
        for output in described:
            if not _finite(output.get("data")):
                name = output["name"]
                raise InputInvalid(f"output {name!r} contains NaN/Inf; request it with binary_data")
    return text


def _entry(spec: TensorSpec, shape: tuple[int, ...], size: int | None = None) -> dict[str, Any]:
    entry = {"name": spec.name, "datatype": spec.datatype, "shape": shape}
    return entry if size is None else entry | {"parameters": {"binary_data_size": size}}


def _data(array: NDArray[Any], non_finite: str) -> Any:
    if array.dtype.kind == "O":
        return array.ravel().tolist()
    if array.dtype == bfloat16.DTYPE:
        array = bfloat16.to_float32(array)
    flat = array.ravel()
    if non_finite == "token" and not _finite(flat):
        # As Python writes and reads them, and Triton too, though JSON has no such words.
        return orjson.Fragment(json.dumps(flat.tolist(), separators=(",", ":")))
    return flat


def _finite(data: Any) -> bool:
    is_float = isinstance(data, np.ndarray) and data.dtype.kind == "f"
    return not is_float or bool(np.isfinite(data).all())
