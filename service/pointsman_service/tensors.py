"""From JSON to tensors and back, strictly by the signature.

Only what can be represented exactly is accepted: an integer may become a float, nothing else
changes kind, and integers out of range are refused rather than wrapped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman import datatypes
from pointsman.manifest import TensorSpec
from pointsman_service.errors import InputInvalid

Arrays = dict[str, NDArray[Any]]

_ACCEPTED_KINDS = {"b": "b", "u": "iu", "i": "iu", "f": "fiu"}
_WANTED = {"b": "booleans", "u": "integers", "i": "integers", "f": "numbers"}


def parse(inputs: Any, signature: Sequence[TensorSpec]) -> Arrays:
    """Turn the `inputs` of a request into arrays, or raise `InputInvalid` with what is wrong.

    A mapping gives one nested list per input; a nested list alone is the only input's.
    """
    if not isinstance(inputs, dict):
        if len(signature) != 1:
            raise InputInvalid(f"the model has the inputs {_names(signature)}: give each by name")
        inputs = {signature[0].name: inputs}
    if missing := [spec.name for spec in signature if spec.name not in inputs]:
        raise InputInvalid(f"the input {missing[0]!r} is missing")
    if len(inputs) != len(signature):
        known = {spec.name for spec in signature}
        stranger = next(name for name in inputs if name not in known)
        raise InputInvalid(f"there is no input {stranger!r}: the model has {_names(signature)}")
    return {spec.name: _tensor(inputs[spec.name], spec) for spec in signature}


def rows(feed: Mapping[str, NDArray[Any]]) -> int:
    """Return how many rows a request has: the first dimension of its first input."""
    for array in feed.values():
        return len(array) if array.ndim else 1
    return 0


def to_json(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return outputs as orjson can write them: native arrays where possible, else lists."""
    return {
        name: array.tolist() if array.dtype == object else np.ascontiguousarray(array)
        for name, array in arrays.items()
    }


def _tensor(data: Any, spec: TensorSpec) -> NDArray[Any]:
    array = _strings(data, spec) if spec.datatype == "BYTES" else _numbers(data, spec)
    if len(array.shape) != len(spec.shape) or any(
        wanted not in {-1, got} for wanted, got in zip(spec.shape, array.shape, strict=True)
    ):
        hint = " (wrap a single row in a list)" if len(array.shape) + 1 == len(spec.shape) else ""
        raise InputInvalid(
            f"{spec.name!r} has the shape {list(array.shape)}, and the model takes "
            f"{list(spec.shape)}{hint}"
        )
    return array


def _numbers(data: Any, spec: TensorSpec) -> NDArray[Any]:
    dtype = datatypes.NUMPY[spec.datatype]
    wanted = _WANTED[dtype.kind]
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise InputInvalid(f"{spec.name!r} is ragged: rows differ in length or depth") from error
    except OverflowError as error:
        raise InputInvalid(f"{spec.name!r} has an integer that no {spec.datatype} holds") from error
    if array.dtype == dtype:
        return array
    if array.size and array.dtype.kind not in _ACCEPTED_KINDS[dtype.kind]:
        raise InputInvalid(f"{spec.name!r} takes {wanted} ({spec.datatype}) only")
    if dtype.kind in "iu" and array.size:
        limits = np.iinfo(dtype)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            raise InputInvalid(f"{spec.name!r} has an integer that no {spec.datatype} holds")
    with np.errstate(over="ignore"):
        cast = array.astype(dtype)
    if dtype.kind == "f" and not np.isfinite(cast).all():
        raise InputInvalid(f"{spec.name!r} has a number that no {spec.datatype} holds")
    return cast


def _strings(data: Any, spec: TensorSpec) -> NDArray[Any]:
    try:
        array = np.array(data, dtype=object)
    except ValueError as error:
        raise InputInvalid(f"{spec.name!r} is ragged: rows differ in length or depth") from error
    if not all(isinstance(element, str) for element in array.flat):
        raise InputInvalid(f"{spec.name!r} takes strings only")
    return array


def _names(signature: Sequence[TensorSpec]) -> str:
    return ", ".join(repr(spec.name) for spec in signature)
