"""Tensors as JSON: one flat list, or lists in lists, of which only the number of values counts."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec
import orjson
from numpy.typing import NDArray

from pointsman import datatypes
from pointsman.manifest import TensorSpec
from pointsman_service import json_numbers, tensors
from pointsman_service.api.v2.inference_request import MAX_DEPTH, too_deep
from pointsman_service.errors import InputInvalid

_NUMERIC = frozenset(name for name, dtype in datatypes.NUMPY.items() if dtype.kind in "fiu")


def read(data: msgspec.Raw, spec: TensorSpec, shape: Sequence[int], elements: int) -> NDArray[Any]:
    """Return the array of `elements` in `shape` that the JSON is.

    Raises `InputInvalid` when there are more or fewer values, or some that the datatype lacks.
    """
    text = memoryview(data)
    array = json_numbers.read(text, datatypes.NUMPY[spec.datatype])
    if array is None:
        if len(text) > json_numbers.EXPLAINED_BYTES and spec.datatype in _NUMERIC:
            raise json_numbers.unexplained(f"the data of {spec.name!r}", len(text))
        array = _any_values(text, spec)
    if array.size != elements:
        raise InputInvalid(
            f"{spec.name!r} has {array.size} values, and its shape {list(shape)} takes {elements}"
        )
    return array.reshape(shape)


def _any_values(text: memoryview, spec: TensorSpec) -> NDArray[Any]:
    """Look at every value, to take what is not just numbers, or to say what is wrong."""
    try:
        level = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _malformed(spec, error) from error
    if not isinstance(level, list):
        raise InputInvalid(f"the data of {spec.name!r} must be a list")
    kinds = set(map(type, level))
    depth = 1
    while list in kinds:
        depth += 1
        if depth > MAX_DEPTH:
            raise too_deep()
        if len(kinds) > 1 or len(set(map(len, level))) > 1:
            raise InputInvalid(f"{spec.name!r} is ragged: rows differ in length or depth")
        level = list(chain.from_iterable(level))
        kinds = set(map(type, level))
    return tensors.converted(level, kinds, spec)


def _malformed(spec: TensorSpec, error: orjson.JSONDecodeError) -> InputInvalid:
    if "recursion" in str(error).lower():
        return too_deep()
    return InputInvalid(f"the data of {spec.name!r} is not JSON: {error}")
