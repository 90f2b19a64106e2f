"""From what a model computed to the bytes of an inference response; pure.

An answer without binary outputs is plain JSON. With one, the JSON comes first, its length in
`Inference-Header-Content-Length`, and the tensors follow in the order of the outputs.
"""

import json
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
_JSON_HEADERS = ((b"content-type", JSON),)


def encode(
    request: InferenceRequest, outputs: Arrays, version: Version
) -> tuple[tuple[Header, ...], bytes]:
    """Return the headers (with the content type, without the length) and the body of an answer.

    Raises `InputInvalid` for an output that JSON cannot say in the way that was asked for.
    """
    manifest = version.manifest
    specs = {spec.name: spec for spec in manifest.outputs}
    described: list[dict[str, Any]] = []
    blobs: list[binary.Buffer] = []
    for asked in request.outputs:
        array, spec = outputs[asked.name], specs[asked.name]
        if asked.classes:
            array, spec = classification.classify(array, spec, asked.classes)
        entry: dict[str, Any] = {
            "name": spec.name,
            "datatype": spec.datatype,
            "shape": array.shape,
        }
        if asked.binary:
            blob = binary.write(array)
            entry["parameters"] = {"binary_data_size": len(blob)}
            blobs.append(blob)
        else:
            entry["data"] = _data(array, spec, request.non_finite)
        described.append(entry)
    document = orjson.dumps(
        {
            "model_name": manifest.model,
            "model_version": manifest.version,
            "id": request.id,
            "parameters": {"version": manifest.version, "digest": version.digest},
            "outputs": described,
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )
    if not any(asked.binary for asked in request.outputs):
        return _JSON_HEADERS, document
    length = b"%d" % len(document)
    headers = ((b"content-type", BINARY), (b"inference-header-content-length", length))
    return headers, b"".join((document, *blobs))


def _data(array: NDArray[Any], spec: TensorSpec, non_finite: str) -> Any:
    if spec.datatype == "BF16":
        array = bfloat16.to_float32(array)
    if array.dtype.kind == "O":
        return array.ravel().tolist()
    flat = np.ascontiguousarray(array).reshape(-1)
    if array.dtype.kind != "f" or non_finite == "null" or np.isfinite(flat).all():
        return flat
    if non_finite == "token":
        # As Python writes and reads them, and Triton too, though JSON has no such words.
        return orjson.Fragment(json.dumps(flat.tolist(), separators=(",", ":")))
    raise InputInvalid(f"output {spec.name!r} contains NaN/Inf; request it with binary_data")
