"""From JSON to tensors and back, strictly by the signature.

Only what can be represented exactly is accepted: an integer may become a float (and is rounded as
floats are), nothing else changes kind, and integers out of range are refused rather than wrapped.
The kind of every single element is looked at, because numpy would take `[true, 2]` for integers,
`"1"` for a number, and one long string among numbers for a reason to allocate gigabytes.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman import bfloat16, datatypes
from pointsman.manifest import TensorSpec
from pointsman_service.errors import InputInvalid

Arrays = dict[str, NDArray[Any]]

_INTEGERS = frozenset({int})
# By numpy's kind: what JSON may give for it, and what to call that.
_ACCEPTED: dict[str, tuple[frozenset[type], str]] = {
    "b": (frozenset({bool}), "booleans"),
    "u": (_INTEGERS, "integers"),
    "i": (_INTEGERS, "integers"),
    "f": (frozenset({int, float}), "numbers"),
    "O": (frozenset({str}), "strings"),
}
_JSON_NAMES = {
    bool: "a boolean",
    int: "an integer",
    float: "a floating-point number",
    str: "a string",
    type(None): "null",
    dict: "an object",
    list: "a list",
}
_SHOWN_CHARACTERS = 80


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
        stranger = next(name for name in inputs if name not in known)[:_SHOWN_CHARACTERS]
        raise InputInvalid(f"there is no input {stranger!r}: the model has {_names(signature)}")
    return {spec.name: _tensor(inputs[spec.name], spec) for spec in signature}


def from_numbers(inputs: Any, signature: Sequence[TensorSpec]) -> Arrays | None:
    """Turn `inputs` that are known to hold nothing but numbers into arrays, at numpy's own pace.

    They are integers only where the signature has integers. Returns None for what does not fit,
    and leaves it to `parse` to say why.
    """
    if not isinstance(inputs, dict):
        inputs = {signature[0].name: inputs}
    feed: Arrays = {}
    try:
        with np.errstate(over="raise"):
            for spec in signature:
                array = np.array(inputs[spec.name], datatypes.NUMPY[spec.datatype])
                if not fits(array.shape, spec.shape):
                    return None
                feed[spec.name] = array
    except (KeyError, ValueError, OverflowError, FloatingPointError):
        return None
    return feed


def require_shape(shape: Sequence[int], spec: TensorSpec) -> None:
    """Raise `InputInvalid` unless a shape is one that the model takes."""
    if not fits(shape, spec.shape):
        single = 0 not in shape and len(shape) + 1 == len(spec.shape)
        hint = " (wrap a single row in a list)" if single else ""
        raise InputInvalid(
            f"{spec.name!r} has the shape {list(shape)}, and the model takes "
            f"{list(spec.shape)}{hint}"
        )


def rows(feed: Mapping[str, NDArray[Any]]) -> int:
    """Return how many rows a request has: the first dimension of its first input."""
    for array in feed.values():
        return len(array) if array.ndim else 1
    return 0


def to_json(array: NDArray[Any]) -> Any:
    """Return an output as orjson can write it: as a native array where possible, else a list."""
    if array.dtype == bfloat16.DTYPE:
        array = bfloat16.to_float32(array)
    return np.ascontiguousarray(array) if array.ndim and array.dtype != object else array.tolist()


def _tensor(data: Any, spec: TensorSpec) -> NDArray[Any]:
    shape, elements, kinds = _flattened(data, spec)
    require_shape(shape, spec)
    return converted(elements, kinds, spec).reshape(shape)


def fits(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    """Tell whether a shape is one of those that are wanted, where -1 is any size."""
    if len(shape) != len(wanted):
        return False
    for size, got in zip(wanted, shape, strict=True):  # noqa: SIM110 — called for every request
        if size not in {-1, got}:
            return False
    return True


def _flattened(data: Any, spec: TensorSpec) -> tuple[list[int], list[Any], set[type]]:
    """Return the shape of nested lists, what lies below them, and of which kinds that is."""
    shape: list[int] = []
    level = [data]
    while list in (kinds := set(map(type, level))):
        if len(shape) == len(spec.shape):
            raise InputInvalid(
                f"{spec.name!r} is nested deeper than the model takes: {list(spec.shape)}"
            )
        lengths = set(map(len, level)) if len(kinds) == 1 else set()
        if len(lengths) != 1:
            raise InputInvalid(f"{spec.name!r} is ragged: rows differ in length or depth")
        shape += lengths
        level = level[0] if len(level) == 1 else list(chain.from_iterable(level))
    return shape, level, kinds


def converted(elements: list[Any], kinds: set[type], spec: TensorSpec) -> NDArray[Any]:
    """Return elements of the `kinds` as an array of one dimension.

    Raises `InputInvalid` for kinds that the datatype does not take, and for what it cannot hold.
    """
    dtype = datatypes.NUMPY[spec.datatype]
    accepted, wanted = _ACCEPTED["f" if dtype == bfloat16.DTYPE else dtype.kind]
    if strangers := kinds - accepted:
        if float in strangers and accepted is _INTEGERS and _beyond_64_bits(elements):
            raise _out_of_range(spec, "an integer")
        kind = min(_JSON_NAMES.get(stranger, stranger.__name__) for stranger in strangers)
        raise InputInvalid(f"{spec.name!r} takes {wanted} ({spec.datatype}) only, and got {kind}")
    try:
        with np.errstate(over="raise"):
            if dtype == bfloat16.DTYPE:
                return _rounded(np.array(elements, np.float32), spec)
            return np.array(elements, dtype=dtype)
    except OverflowError as error:
        raise _out_of_range(spec, "an integer") from error
    except FloatingPointError as error:
        raise _out_of_range(spec, "a number") from error


def _rounded(values: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    halves = bfloat16.from_float32(values)
    if not np.isfinite(bfloat16.to_float32(halves)).all():
        raise _out_of_range(spec, "a number")
    return halves


def _beyond_64_bits(elements: list[Any]) -> bool:
    """Tell whether all that is no integer here is one that the JSON parser had no room for."""
    floats = [element for element in elements if type(element) is float]
    return all(element.is_integer() and abs(element) >= 2.0**63 for element in floats)


def _out_of_range(spec: TensorSpec, what: str) -> InputInvalid:
    return InputInvalid(f"{spec.name!r} has {what} that no {spec.datatype} holds")


def _names(signature: Sequence[TensorSpec]) -> str:
    return ", ".join(repr(spec.name) for spec in signature)
