"""Binary tensors: little-endian, row-major, without padding; strings each after their length.

Source: Triton's binary tensor data extension. Nothing is copied that is where the model can
read it.
"""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman import datatypes
from pointsman.manifest import TensorSpec
from pointsman_service.errors import InputInvalid

Buffer = bytes | memoryview

_LENGTH = struct.Struct("<I")


def read(data: Buffer, spec: TensorSpec, shape: Sequence[int], elements: int) -> NDArray[Any]:
    """Return the array of `elements` in `shape` that `data` is, to the byte.

    Raises `InputInvalid` when the size is another one, or a string is not UTF-8.
    """
    if spec.datatype == "BYTES":
        return _strings(data, spec, elements).reshape(shape)
    dtype = datatypes.NUMPY[spec.datatype]
    wanted = elements * dtype.itemsize
    if len(data) != wanted:
        raise InputInvalid(
            f"{spec.name!r} has {len(data)} bytes of data, and its shape {list(shape)} of "
            f"{spec.datatype} takes {wanted}"
        )
    array = np.frombuffer(data, dtype).reshape(shape)
    if dtype.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
        raise InputInvalid(f"{spec.name!r} has bytes that are neither 0 nor 1")
    # The JSON before it may have any length, and kernels expect elements where they belong.
    return array if array.flags.aligned else array.copy()


def write(array: NDArray[Any]) -> Buffer:
    """Return a tensor's bytes."""
    if array.dtype.kind == "O":
        encoded = [str(element).encode() for element in array.ravel()]
        return b"".join(part for each in encoded for part in (_LENGTH.pack(len(each)), each))
    contiguous = np.ascontiguousarray(array)
    return contiguous.reshape(-1).view(np.uint8).data if contiguous.size else b""


def _strings(data: Buffer, spec: TensorSpec, elements: int) -> NDArray[Any]:
    found: list[str] = []
    position = 0
    while position < len(data):
        start = position + _LENGTH.size
        if start > len(data):
            raise InputInvalid(f"{spec.name!r} ends within the length of a string")
        position = start + _LENGTH.unpack_from(data, position)[0]
        if position > len(data):
            raise InputInvalid(f"{spec.name!r} ends within a string")
        found.append(text(bytes(data[start:position]), spec))
    if len(found) != elements:
        raise InputInvalid(f"{spec.name!r} has {len(found)} strings, and its shape {elements}")
    return strings(found)


def strings(elements: list[str]) -> NDArray[Any]:
    """Return strings as the model takes them."""
    array = np.empty(len(elements), object)
    array[:] = elements
    return array


def text(data: bytes, spec: TensorSpec) -> str:
    """Return a string; the model's are UTF-8, and what is not is refused."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputInvalid(
            f"{spec.name!r} has a string that is not UTF-8, and the model takes no other: {error}"
        ) from error
