"""JSON that is nothing but numbers, read at once."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman_service import json_numbers, number_buffers
from pointsman_service.json_numbers import read

FLOATS = np.dtype(np.float32)
INTEGERS = np.dtype(np.int16)
BYTES = np.dtype(np.uint8)


@pytest.fixture(params=["few", "many", "in pieces"])
def _ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers, and texts that are cut at every comma."""
    if request.param == "few":
        return
    if not number_buffers.available:
        pytest.skip("there is no simdjson for this Python")
    monkeypatch.setattr(json_numbers, "MANY_BYTES", 2)
    if request.param == "in pieces":
        monkeypatch.setattr(number_buffers, "_PIECE_BYTES", 1)


@pytest.mark.usefixtures("_ways")
@pytest.mark.parametrize(
    ("text", "dtype", "values"),
    [
        (b"[1, 2.5, -3e2]", FLOATS, [1, 2.5, -300]),
        (b" \n[ [1,2],\t[3,4] ]", FLOATS, [[1, 2], [3, 4]]),
        (b"[-32768, 32767]", INTEGERS, [-32768, 32767]),
        (b"[[[255]]]", BYTES, [[[255]]]),
        (b"[" * 9 + b"1, 2" + b"]" * 9, FLOATS, [[[[[[[[[1, 2]]]]]]]]]),
        (json.dumps([[[[[[[1]]]]]]], indent=8).encode(), FLOATS, [[[[[[[1]]]]]]]),
        (b"[[[1,2]],[[3,4]],[[5,6]]]", BYTES, [[[1, 2]], [[3, 4]], [[5, 6]]]),
        (b"[[[1],[2]],[[3],[4]]]", FLOATS, [[[1], [2]], [[3], [4]]]),
        (b"[9223372036854775807, -1]", np.dtype(np.int64), [9223372036854775807, -1]),
        (b"[18446744073709551615, 0]", np.dtype(np.uint64), [18446744073709551615, 0]),
        (b"[-0.0, 1E+2, 16777217]", np.dtype(np.float64), [-0.0, 100, 16777217]),
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
    ("text", "dtype", "values"), [(b"[]", FLOATS, []), (b"[[]]", INTEGERS, [[]])]
)
def test_there_may_be_none(text: bytes, dtype: np.dtype[Any], values: Any) -> None:
    array = read(text, dtype)
    assert array is not None
    assert array.tolist() == values


@pytest.mark.usefixtures("_ways")
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
        (b"[[1, 2], [3]]", FLOATS),
        (b"[[1, 2], 3]", FLOATS),
        (b"[[1, 2], [3, 4], 5]", FLOATS),
        (b"[[[1], [2]], [[3, 4]]]", FLOATS),
        (b"[[1], []]", FLOATS),
        (b"[1,]", FLOATS),
        (b"[[1, 2], [3,]]", FLOATS),
        (b"[,1]", FLOATS),
        (b"[1, , 2]", FLOATS),
        (b"[1 2, 3]", FLOATS),
        (b"[1]]", FLOATS),
        (b"[[1]", FLOATS),
        (b"[1], [2]", FLOATS),
        (b"[1][2]", FLOATS),
        (b"[[1, 2]5, [3, 4]]", FLOATS),
        (b"[1[, 2], [3, 4]]", FLOATS),
        (b"[[1, 2][, 3, 4]]", FLOATS),
        (b"[1, 2] x", FLOATS),
        (b"[01, 2]", FLOATS),
        (b"[1., 2]", FLOATS),
        (b"[.5, 2]", FLOATS),
        (b"[+1, 2]", FLOATS),
        (b"[--1, 2]", FLOATS),
        (b"[Infinity, 2]", FLOATS),
        (b"[1e, 2]", FLOATS),
        (b"[{}, 2]", FLOATS),
        (b"[18446744073709551616, 2]", INTEGERS),
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


SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=5)


@pytest.mark.skipif(not number_buffers.available, reason="there is no simdjson for this Python")
@given(SHAPES, st.integers(1, 40), st.sampled_from([None, 1]))
def test_lists_in_lists_keep_their_shape_wherever_they_are_cut(
    shape: list[int], piece: int, indent: int | None
) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) / 7
    text = json.dumps(array.tolist(), indent=indent).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(number_buffers, "_PIECE_BYTES", piece)
        found = number_buffers.read(memoryview(text), len(shape), FLOATS)
    assert found.shape == array.shape
    assert found.tolist() == array.tolist()
