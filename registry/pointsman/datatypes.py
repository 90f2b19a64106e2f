"""The Open Inference Protocol's datatypes, and what numpy and ONNX Runtime call them.

Source: Open Inference Protocol v2, "Tensor Data Types", and BF16 of Triton's; ONNX Runtime's
type strings.
BYTES is an array of Python strings (numpy `object`): ONNX Runtime's strings are UTF-8.
"""

from typing import Any

import numpy as np

from pointsman import bfloat16

NUMPY: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "BF16": bfloat16.DTYPE,
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(object),
}

_RUNTIME = {
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(bfloat16)": "BF16",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}


def from_runtime(type_name: str) -> str | None:
    """Return the datatype for ONNX Runtime's `tensor(…)`; None for what the protocol lacks."""
    return _RUNTIME.get(type_name)
