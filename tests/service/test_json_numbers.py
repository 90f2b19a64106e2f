"""JSON that is nothing but numbers, read at once."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman_service.json_numbers import read

FLOATS = np.dtype(np.float32)
INTEGERS = np.dtype(np.int16)
BYTES = np.dtype(np.uint8)


@pytest.mark.parametrize(
    ("text", "dtype", "values"),
    [
        (b"[1, 2.5, -3e2]", FLOATS, [1, 2.5, -300]),
        (b" \n[ [1,2],\t[3,4] ]", FLOATS, [[1, 2], [3, 4]]),
        (b"[]", FLOATS, []),
        (b"[[]]", INTEGERS, [[]]),
        (b"[-32768, 32767]", INTEGERS, [-32768, 32767]),
        (b"[[[255]]]", BYTES, [[[255]]]),
    ],
)
def test_numbers_are_read_in_the_shape_of_their_lists(
    text: bytes, dtype: np.dtype[Any], values: Any
) -> None:
    array = read(memoryview(text), dtype)
    assert array is not None
    assert array.dtype == dtype
    assert array.tolist() == values


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        (b"", FLOATS),
        (b"1", FLOATS),
        (b"[", FLOATS),
        (b"[true]", FLOATS),
        (b"[null]", FLOATS),
        (b'["1"]', FLOATS),
        (b"[NaN]", FLOATS),
        (b"[1e39]", FLOATS),
        (b"[1e400]", FLOATS),
        (b"[1, [2]]", FLOATS),
        (b"[[1], [2, 3]]", FLOATS),
        (b"[" * 100 + b"]" * 100, FLOATS),
        (b"[1.0]", INTEGERS),
        (b"[true]", INTEGERS),
        (b"[32768]", INTEGERS),
        (b"[-1]", BYTES),
        (b"[" + b"9" * 5000 + b"]", INTEGERS),
        (b"[1]", np.dtype(object)),
        (b"[1]", np.dtype(bool)),
    ],
)
def test_what_is_not_simply_numbers_is_left_to_others(text: bytes, dtype: np.dtype[Any]) -> None:
    assert read(text, dtype) is None


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_every_number_comes_out_as_it_went_in(values: list[float]) -> None:
    array = read(json.dumps(values).encode(), FLOATS)
    assert array is not None
    assert array.tolist() == values
