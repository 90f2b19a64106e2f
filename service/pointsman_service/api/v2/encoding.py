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
from pointsman.manifest import Version
from pointsman_service.api.v2 import binary, classification
from pointsman_service.api.v2.inference_request import InferenceRequest
from pointsman_service.errors import InputInvalid
from pointsman_service.tensors import Arrays

Header = tuple[bytes, bytes]

JSON = b"application/json"
BINARY = b"application/octet-stream"
JSON_HEADERS = ((b"content-type", JSON),)


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
    in_binary = False
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
            in_binary = True
            blob = binary.write(array)
            entry["parameters"] = {"binary_data_size": len(blob)}
            blobs.append(blob)
        else:
            entry["data"] = _data(array, request.non_finite)
        described.append(entry)
    document = _document(request, described, version)
    if not in_binary:
        return JSON_HEADERS, document
    length = b"%d" % len(document)
    headers = ((b"content-type", BINARY), (b"inference-header-content-length", length))
    return headers, b"".join((document, *blobs))


def _document(
    request: InferenceRequest, described: list[dict[str, Any]], version: Version
) -> bytes:
    document = orjson.dumps(
        {
            "model_name": version.manifest.model,
            "model_version": version.manifest.version,
            "id": request.id,
            "parameters": {"version": version.manifest.version, "digest": version.digest},
            "outputs": described,
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )
    # What JSON cannot say is written as null; nearly always a look for that word is enough.
    if not request.non_finite and b"null" in document:
        for output in described:
            if not _finite(output.get("data")):
                name = output["name"]
                raise InputInvalid(f"output {name!r} contains NaN/Inf; request it with binary_data")
    return document


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
