"""Many numbers in JSON, as an array: no Python object is made of any of them.

simdjson writes them side by side into a buffer. Its working memory is up to sixteen times the text,
so a text is read in pieces: what is needed beside it and the array stays small, and in the cache.
What the lists look like is seen from what is left of the text without its numbers.
"""

import re
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

_PIECE_BYTES = 128 << 10
_MAX_PIECE_BYTES = 4 << 20
"""No number is longer, nor the space around it."""
_NUMBERS = b"0123456789+-.eE \t\r\n"
_WHITE_OR_CLOSING = b" \t\r\n]"
_LONG_INTEGER = re.compile(rb"(?<![0-9.eE+-])-?[0-9]{19,}(?![0-9.eE])")
_TYPES = {"f": ("d", np.float64), "i": ("i", np.int64), "u": ("u", np.uint64)}


def read(text: memoryview, depth: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the array that `text`, which begins with `depth` brackets, is in its lists' shape.

    Raises `ValueError`, `TypeError`, `RuntimeError` or an `ArithmeticError` for what is not simply
    numbers which the dtype holds, in lists of equal lengths.
    """
    shape = _shape(b",".join(piece.translate(None, _NUMBERS) for piece in _pieces(text)), depth)
    array = np.empty(prod(shape), dtype)
    parser = simdjson.Parser()
    end = opened = 0
    for piece in _pieces(text):
        left_open = depth - _closed_at_end(piece)
        whole = b"".join((b"[" * opened, piece, b"]" * left_open))
        values = _values(parser, whole, dtype)
        start, end, opened = end, end + len(values), left_open
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


def _pieces(text: memoryview) -> Iterator[bytes]:
    """Cut a text at commas, which are left out."""
    start, size = 0, _PIECE_BYTES
    while start < len(text):
        piece = bytes(text[start : start + size])
        if start + len(piece) < len(text):
            if (cut := piece.rfind(b",")) < 0:
                size *= 2
                if size > _MAX_PIECE_BYTES:
                    raise ValueError("no comma for too long")
                continue
            piece = piece[:cut]
        yield piece
        start += len(piece) + 1
        size = _PIECE_BYTES


def _closed_at_end(piece: bytes) -> int:
    """Return how many lists end between the last number of a piece and its end.

    All numbers are equally deep in lists, so what is left open there follows from that.
    """
    end = len(piece)
    while end and piece[end - 1] in _WHITE_OR_CLOSING:
        end -= 1
    return piece.count(b"]", end)


def _values(parser: "simdjson.Parser", piece: bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    code, kind = _TYPES[dtype.kind]
    try:
        buffer = parser.parse(piece).as_buffer(of_type=code)  # type: ignore[union-attr, arg-type] # all else raises
    except (ValueError, RuntimeError):
        # JavaScript writes 1e20 as an integer, for which the parser has no room.
        floats = _LONG_INTEGER.sub(rb"\g<0>e0", piece)
        if dtype.kind != "f" or floats == piece:
            raise
        buffer = parser.parse(floats).as_buffer(of_type=code)  # type: ignore[union-attr, arg-type] # all else raises
    values = np.frombuffer(buffer, kind)
    if dtype.kind != "f":
        bounds = np.iinfo(dtype)
        if values.min() < bounds.min or values.max() > bounds.max:
            raise OverflowError("a number that the dtype does not hold")
    return values
