"""Inference requests as clients write them."""

from typing import Any

import orjson

Blob = bytes


def request(*inputs: dict[str, Any], **members: Any) -> bytes:
    """The JSON of a request."""
    return orjson.dumps({"inputs": list(inputs), **members})


def tensor(datatype: str, shape: list[int], data: Any = None, **parameters: Any) -> dict[str, Any]:
    """The input `x`, with its values in the JSON or, by `binary_data_size`, behind it."""
    described: dict[str, Any] = {"name": "x", "datatype": datatype, "shape": shape}
    if data is not None:
        described["data"] = data
    if parameters:
        described["parameters"] = parameters
    return described


def with_blobs(document: bytes, *blobs: Blob) -> tuple[dict[bytes, bytes], bytes]:
    """The header and the body of a request with binary tensors."""
    length = str(len(document)).encode()
    return {b"inference-header-content-length": length}, document + b"".join(blobs)
