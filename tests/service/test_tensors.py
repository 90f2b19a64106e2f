"""JSON to tensors and back: what fits exactly is taken, and everything else is explained."""

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies
from numpy.typing import NDArray

from pointsman import bfloat16, datatypes
from pointsman.manifest import TensorSpec
from pointsman_service import tensors
from pointsman_service.errors import InputInvalid

NUMBERS = sorted(set(datatypes.NUMPY) - {"BOOL", "BYTES", "BF16"})
INTEGERS = [name for name in NUMBERS if "INT" in name]
FLOATS = [name for name in NUMBERS if name.startswith("FP")]


def spec(datatype: str, *shape: int, name: str = "x") -> TensorSpec:
    return TensorSpec(name=name, datatype=datatype, shape=shape)


def parse(data: Any, datatype: str, *shape: int) -> NDArray[Any]:
    return tensors.parse({"x": data}, [spec(datatype, *shape)])["x"]


def refusal(data: Any, datatype: str, *shape: int) -> str:
    with pytest.raises(InputInvalid) as refused:
        parse(data, datatype, *shape)
    return str(refused.value)


def round_trip(array: NDArray[Any], datatype: str) -> NDArray[Any]:
    """Write an array as a service answers, and read it as one asks."""
    text = orjson.dumps({"x": tensors.to_json(array)}, option=orjson.OPT_SERIALIZE_NUMPY)
    return parse(orjson.loads(text)["x"], datatype, *(-1 for _ in array.shape))


@pytest.mark.parametrize("datatype", NUMBERS)
def test_numbers_become_the_datatype_of_the_signature(datatype: str) -> None:
    array = parse([[1, 2], [3, 4]], datatype, -1, 2)
    assert array.dtype == datatypes.NUMPY[datatype]
    assert array.tolist() == [[1, 2], [3, 4]]


def test_booleans_and_strings_have_datatypes_of_their_own() -> None:
    assert parse([True, False], "BOOL", -1).tolist() == [True, False]
    words = parse(["", "Zürich", "1"], "BYTES", -1)
    assert words.dtype == object
    assert words.tolist() == ["", "Zürich", "1"]


def test_the_only_input_needs_no_name() -> None:
    assert tensors.parse([1, 2], [spec("FP32", -1)])["x"].tolist() == [1, 2]


def test_several_inputs_are_given_by_name() -> None:
    signature = [spec("FP32", -1, name="a"), spec("INT64", -1, name="b")]
    feed = tensors.parse({"b": [2], "a": [1]}, signature)
    assert list(feed) == ["a", "b"]
    with pytest.raises(InputInvalid, match="the model has the inputs 'a', 'b': give each by name"):
        tensors.parse([1], signature)
    with pytest.raises(InputInvalid, match="the input 'b' is missing"):
        tensors.parse({"a": [1]}, signature)
    with pytest.raises(InputInvalid, match="there is no input 'c': the model has 'a', 'b'"):
        tensors.parse({"a": [1], "b": [1], "c": [1]}, signature)


@pytest.mark.parametrize(
    ("data", "datatype", "shape", "expected"),
    [
        ([[1, 2], [3]], "FP32", (-1, 2), "'x' is ragged: rows differ in length or depth"),
        ([[1], 2], "FP32", (-1, 1), "'x' is ragged: rows differ in length or depth"),
        ([[], [1]], "FP32", (-1, -1), "'x' is ragged: rows differ in length or depth"),
        ([None], "FP32", (-1,), "'x' takes numbers (FP32) only, and got null"),
        ([1.0, True], "FP32", (-1,), "'x' takes numbers (FP32) only, and got a boolean"),
        ([1, True], "INT64", (-1,), "'x' takes integers (INT64) only, and got a boolean"),
        ([1, 0], "BOOL", (-1,), "'x' takes booleans (BOOL) only, and got an integer"),
        ([1.0], "INT8", (-1,), "'x' takes integers (INT8) only, and got a floating-point number"),
        (["1"], "FP64", (-1,), "'x' takes numbers (FP64) only, and got a string"),
        ([{"a": 1}], "FP64", (-1,), "'x' takes numbers (FP64) only, and got an object"),
        (["a", 1], "BYTES", (-1,), "'x' takes strings (BYTES) only, and got an integer"),
        ([128], "INT8", (-1,), "'x' has an integer that no INT8 holds"),
        ([-1], "UINT8", (-1,), "'x' has an integer that no UINT8 holds"),
        ([2**63], "INT64", (-1,), "'x' has an integer that no INT64 holds"),
        ([1e39], "FP32", (-1,), "'x' has a number that no FP32 holds"),
        ([70000], "FP16", (-1,), "'x' has a number that no FP16 holds"),
        (
            [1, 2],
            "FP32",
            (-1, 2),
            "'x' has the shape [2], and the model takes [-1, 2] (wrap a single row in a list)",
        ),
        ([[1, 2, 3]], "FP32", (-1, 2), "'x' has the shape [1, 3], and the model takes [-1, 2]"),
        ([], "FP32", (-1, 2), "'x' has the shape [0], and the model takes [-1, 2]"),
        ([[[1]]], "FP32", (-1, 1), "'x' is nested deeper than the model takes: [-1, 1]"),
        (1, "FP32", (-1, -1), "'x' has the shape [], and the model takes [-1, -1]"),
    ],
)
def test_what_does_not_fit_is_explained(
    data: Any, datatype: str, shape: tuple[int, ...], expected: str
) -> None:
    assert refusal(data, datatype, *shape) == expected


@pytest.mark.parametrize("digits", ["18446744073709551616", "-9223372036854775809"])
def test_an_integer_beyond_64_bits_is_called_one(digits: str) -> None:
    assert refusal(orjson.loads(f"[1, {digits}]"), "INT64", -1) == (
        "'x' has an integer that no INT64 holds"
    )


@pytest.mark.parametrize("datatype", INTEGERS)
def test_integers_are_taken_up_to_their_limits_and_no_further(datatype: str) -> None:
    limits = np.iinfo(datatypes.NUMPY[datatype])
    low, high = int(limits.min), int(limits.max)
    assert parse([low, high], datatype, -1).tolist() == [low, high]
    for beyond in (low - 1, high + 1):
        assert "no " + datatype in refusal([beyond], datatype, -1)


def test_a_single_value_is_taken_where_the_model_takes_one() -> None:
    assert parse(3, "FP32").shape == ()
    assert parse("word", "BYTES").item() == "word"


def test_no_rows_are_rows_too() -> None:
    assert parse([], "FP32", -1).shape == (0,)
    assert parse([[], []], "FP32", -1, -1).shape == (2, 0)


def test_nesting_as_deep_as_json_allows_is_refused_at_the_models_depth() -> None:
    data = orjson.loads("[" * 1000 + "]" * 1000)
    assert "nested deeper" in refusal(data, "FP32", -1, 4)


def test_one_long_string_among_many_numbers_costs_nothing() -> None:
    """Numpy would make every number as wide as the string: 400 kB each."""
    data = ["x" * 100_000, *range(1_000_000)]
    assert "got a string" in refusal(data, "FP32", -1)


def test_a_message_does_not_repeat_whatever_length_it_was_sent() -> None:
    with pytest.raises(InputInvalid) as refused:
        tensors.parse({"x": [1], "y" * 100_000: [1]}, [spec("FP32", -1)])
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(("shape", "rows"), [((), 1), ((3,), 3), ((0, 4), 0), ((5, 4), 5)])
def test_rows_are_the_first_dimension_of_the_first_input(shape: tuple[int, ...], rows: int) -> None:
    assert tensors.rows({"a": np.zeros(shape), "b": np.zeros(7)}) == rows


def test_a_model_without_inputs_has_no_rows() -> None:
    assert tensors.rows({}) == 0


@pytest.mark.parametrize("datatype", [*NUMBERS, "BOOL"])
@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (0, 3), (3, 0)])
def test_every_datatype_and_shape_can_be_answered(datatype: str, shape: tuple[int, ...]) -> None:
    array = np.ones(shape, datatypes.NUMPY[datatype])
    text = orjson.dumps({"x": tensors.to_json(array)}, option=orjson.OPT_SERIALIZE_NUMPY)
    assert orjson.loads(text) == {"x": array.tolist()}


def test_strings_and_arrays_that_are_not_contiguous_can_be_answered() -> None:
    words = np.array([["a", "b"], ["c", "d"]], dtype=object)
    turned = np.arange(6, dtype=np.int64).reshape(2, 3).T
    written = {"words": tensors.to_json(words.T), "turned": tensors.to_json(turned)}
    text = orjson.dumps(written, option=orjson.OPT_SERIALIZE_NUMPY)
    assert orjson.loads(text) == {
        "words": [["a", "c"], ["b", "d"]],
        "turned": [[0, 3], [1, 4], [2, 5]],
    }


def test_what_json_has_no_number_for_is_answered_as_null() -> None:
    array = np.array([np.nan, np.inf, -np.inf, 1.0], np.float32)
    text = orjson.dumps({"x": tensors.to_json(array)}, option=orjson.OPT_SERIALIZE_NUMPY)
    assert orjson.loads(text) == {"x": [None, None, None, 1.0]}


shapes = numpy_strategies.array_shapes(min_dims=1, max_dims=4, max_side=4)


@pytest.mark.parametrize("datatype", [*INTEGERS, "BOOL"])
@given(data=st.data())
def test_what_is_answered_can_be_asked_again(datatype: str, data: st.DataObject) -> None:
    dtype = datatypes.NUMPY[datatype]
    array = data.draw(numpy_strategies.arrays(dtype, shapes))
    assert np.array_equal(round_trip(array, datatype), array)


@pytest.mark.parametrize("datatype", FLOATS)
@given(data=st.data())
def test_finite_floats_survive_exactly(datatype: str, data: st.DataObject) -> None:
    dtype = datatypes.NUMPY[datatype]
    finite = numpy_strategies.from_dtype(dtype, allow_nan=False, allow_infinity=False)
    array = data.draw(numpy_strategies.arrays(dtype, shapes, elements=finite))
    assert np.array_equal(round_trip(array, datatype), array)


@given(words=st.lists(st.text(max_size=5), max_size=5))
def test_strings_survive_exactly(words: list[str]) -> None:
    assert round_trip(np.array(words, dtype=object), "BYTES").tolist() == words


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=12,
)


@given(
    data=nested,
    datatype=st.sampled_from(sorted(datatypes.NUMPY)),
    shape=st.lists(st.sampled_from([-1, 0, 1, 2]), max_size=3),
)
def test_anything_at_all_is_either_taken_by_the_signature_or_refused(
    data: Any, datatype: str, shape: list[int]
) -> None:
    try:
        array = parse(data, datatype, *shape)
    except InputInvalid:
        return
    assert array.dtype == datatypes.NUMPY[datatype]
    assert len(array.shape) == len(shape)
    assert all(wanted in {-1, got} for wanted, got in zip(shape, array.shape, strict=True))


def test_bf16_is_taken_and_answered_as_the_number_that_it_is() -> None:
    array = parse([[1.5, 1.004]], "BF16", -1, 2)
    assert array.dtype == bfloat16.DTYPE
    assert tensors.to_json(array).tolist() == [[1.5, 1.0078125]]
    assert "no BF16 holds" in refusal([3.4e38], "BF16", -1)
    assert "takes numbers (BF16) only, and got a string" in refusal(["1"], "BF16", -1)
