"""JSON that is nothing but numbers, as an array at once: no look at each value, and no type of it.

The parser is told what to expect (floats or integers, in lists of a known depth) and accepts
nothing else, which makes it faster than one that has to find out, and leaves nothing to check.
Many numbers go to another one, which makes no Python objects.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pointsman_service.errors import InputInvalid

EXPLAINED_BYTES = 4 << 20
"""What is longer, and not simply numbers, is refused without a look at each value: that would take
sixteen times its memory."""

MANY_BYTES = 64 << 10
"""From this size on it pays to make no Python objects."""
_ELEMENTS: dict[str, type] = {"f": float, "i": int, "u": int}
_MAX_DEPTH = 32
_BEGINNING = 1 << 10
_LIST, _WHITE = ord("["), b" \t\r\n"


def read(text: bytes | memoryview, dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Return the array that `text` is, in the shape of its lists.

    None for all that is not simply numbers which the dtype holds, in lists of equal lengths: who
    wants to know why looks closer.
    """
    element = _ELEMENTS.get(dtype.kind)
    depth = _depth(text)
    if element is None or not 0 < depth <= _MAX_DEPTH:
        return None
    try:
        with np.errstate(over="raise"):
            if len(text) > MANY_BYTES and (many := _many(text, depth, dtype)) is not None:
                return many
            values = _decode(element, depth)(text)
            if depth == 1:
                return np.fromiter(values, dtype, len(values))
            return np.array(values, dtype)
    except (msgspec.DecodeError, ValueError, TypeError, RuntimeError, ArithmeticError):
        return None


def read_one(text: bytes | memoryview, dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Return the single number that `text` is, without lists, or None as `read` does."""
    try:
        with np.errstate(over="raise"):
            return np.array(_decode(_ELEMENTS[dtype.kind], 0)(text), dtype)
    except (msgspec.DecodeError, KeyError, ArithmeticError):
        return None


def _many(text: bytes | memoryview, depth: int, dtype: np.dtype[Any]) -> NDArray[Any] | None:
    from pointsman_service import number_buffers  # most services never need it

    return number_buffers.read(memoryview(text), depth, dtype) if number_buffers.available else None


def unexplained(what: str, size: int) -> InputInvalid:
    """Return the failure of numbers that are none, when there are too many to look for them."""
    return InputInvalid(
        f"{what} is not what it has to be: numbers that the datatype holds, in lists of equal "
        f"lengths. It has {size} bytes; with up to {EXPLAINED_BYTES}, more would be said"
    )


@cache
def _decode(element: type, depth: int) -> Callable[[bytes | memoryview], Any]:
    kind: Any = element
    for _ in range(depth):
        kind = list[kind]
    return msgspec.json.Decoder(kind).decode


def _depth(text: bytes | memoryview) -> int:
    """Count the brackets with which a text begins."""
    depth = 0
    for each in bytes(text[:_BEGINNING]):
        if each == _LIST:
            depth += 1
        elif each not in _WHITE:
            break
    return depth
