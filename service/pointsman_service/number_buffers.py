"""Many numbers in JSON, as an array: no Python object is made of any of them.

simdjson writes them side by side into a buffer. Its working memory is up to sixteen times the text,
so a long text is read in pieces, and what is needed beside the text and the array stays bounded.
What the lists look like is seen from what is left of the text without its numbers.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    import simdjson
except ImportError:  # there is none for the newest interpreters
    simdjson = None  # type: ignore[assignment]

available = simdjson is not None
"""Whether numbers can be read here."""

_PIECE_BYTES = 4 << 20
_NUMBERS = b"0123456789+-.eE \t\r\n"
_TYPES = {"f": ("d", np.float64), "i": ("i", np.int64), "u": ("u", np.uint64)}


def read(text: bytes, depth: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the array that `text`, which begins with `depth` brackets, is in its lists' shape.

    Raises `ValueError`, `TypeError` or an `ArithmeticError` for what is not simply numbers which
    the dtype holds, in lists of equal lengths.
    """
    skeleton = text.translate(None, _NUMBERS)
    shape = _shape(skeleton, depth)
    del skeleton
    array = np.empty(prod(shape), dtype)
    end = 0
    parser = simdjson.Parser()
    for piece in _pieces(text):
        values = _values(parser, piece, dtype)
        start, end = end, end + len(values)
        array[start:end] = values
    if end != len(array):
        raise ValueError("lists of different lengths")
    return array.reshape(shape)


def _shape(skeleton: bytes, depth: int) -> Sequence[int]:
    """Return the shape of lists, of which there are only brackets and commas."""
    unit = skeleton[depth - 1 : skeleton.index(b"]") + 1]
    sizes = [len(unit) - 1]
    for level in range(depth - 1, 0, -1):
        closing = depth - level + 1
        inside = skeleton.index(b"]" * closing, level - 1) + closing - 1 - level
        count, rest = divmod(inside + 1, len(unit) + 1)
        if rest or not count:
            raise ValueError("lists of different lengths")
        unit = b"[%b%b]" % ((unit + b",") * (count - 1), unit)
        sizes.insert(0, count)
    if unit != skeleton:
        raise ValueError("lists of different lengths")
    return sizes


def _pieces(text: bytes) -> Iterator[bytes]:
    """Cut a text at commas, and make every piece whole with the brackets that it lacks."""
    if len(text) <= _PIECE_BYTES:
        yield text
        return
    depth = start = 0
    while start < len(text):
        end = text.find(b",", start + _PIECE_BYTES)
        end = len(text) if end < 0 else end
        before = b"[" * depth
        depth += text.count(b"[", start, end) - text.count(b"]", start, end)
        if depth < 0:
            raise ValueError("a bracket too many")
        yield b"".join((before, memoryview(text)[start:end], b"]" * depth))
        start = end + 1


def _values(parser: "simdjson.Parser", piece: bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    code, kind = _TYPES[dtype.kind]
    values = np.frombuffer(parser.parse(piece).as_buffer(of_type=code), kind)  # type: ignore[union-attr, arg-type] # all else raises
    if dtype.kind != "f":
        bounds = np.iinfo(dtype)
        if values.min() < bounds.min or values.max() > bounds.max:
            raise OverflowError("a number that the dtype does not hold")
    return values
