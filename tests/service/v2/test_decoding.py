"""From the wire to the model's inputs: every form a request has, and every mistake in it."""

import struct
from typing import Any

import numpy as np
import pytest

from pointsman import bfloat16, datatypes
from pointsman_service.api.v2.decoding import decode, effort
from pointsman_service.api.v2.inference_request import InferenceRequest
from pointsman_service.errors import InputInvalid
from tests.service.v2.requests import request, tensor, with_blobs
from tests.service.v2.versions import echo, spec, version

NUMBERS = [name for name in datatypes.NUMPY if name not in {"BOOL", "BYTES", "BF16"}]
SINGLE = echo("FP32", -1, 2).manifest
STRINGS = echo("BYTES", -1).manifest
BOTH = version(
    (spec("x", "FP32", -1, 2), spec("n", "INT64", -1)),
    (spec("y", "FP32", -1, 2), spec("z", "INT64", -1)),
).manifest
ROW = tensor("FP32", [1, 2], [1, 2])


def json(document: bytes, manifest: Any = SINGLE) -> InferenceRequest:
    return decode({}, document, manifest)


def refused(headers: dict[bytes, bytes], body: bytes, manifest: Any = SINGLE) -> str:
    with pytest.raises(InputInvalid) as caught:
        decode(headers, body, manifest)
    return str(caught.value)


@pytest.mark.parametrize("datatype", NUMBERS)
def test_numbers_come_as_json_or_binary(datatype: str) -> None:
    dtype = datatypes.NUMPY[datatype]
    manifest = echo(datatype, -1, 2).manifest
    written = json(request(tensor(datatype, [2, 2], [0, 1, 2, 3])), manifest).feed["x"]
    blob = np.arange(4).astype(dtype).tobytes()
    described = request(tensor(datatype, [2, 2], binary_data_size=len(blob)))
    packed = decode(*with_blobs(described, blob), manifest).feed["x"]
    for array in (written, packed):
        assert array.dtype == dtype
        assert array.tolist() == [[0, 1], [2, 3]]
        assert array.flags.aligned


def test_booleans_come_as_json_or_as_bytes_of_0_and_1() -> None:
    manifest = echo("BOOL", 2).manifest
    assert json(request(tensor("BOOL", [2], [True, False])), manifest).feed["x"].tolist() == [1, 0]
    described = request(tensor("BOOL", [2], binary_data_size=2))
    packed = decode(*with_blobs(described, b"\x01\x00"), manifest)
    assert packed.feed["x"].tolist() == [True, False]
    assert "neither 0 nor 1" in refused(*with_blobs(described, b"\x01\x02"), manifest)


def test_strings_come_as_json_or_each_after_its_length() -> None:
    texts = ["", "ä", "a\0b"]
    encoded = b"".join(struct.pack("<I", len(each.encode())) + each.encode() for each in texts)
    assert json(request(tensor("BYTES", [3], texts)), STRINGS).feed["x"].tolist() == texts
    described = request(tensor("BYTES", [3], binary_data_size=len(encoded)))
    assert decode(*with_blobs(described, encoded), STRINGS).feed["x"].tolist() == texts


@pytest.mark.parametrize(
    ("blob", "shape", "error"),
    [
        (b"\x02\x00\x00\x00\xff\xfe", [1], "not UTF-8"),
        (b"\x02\x00\x00\x00a", [1], "ends within a string"),
        (b"\x02\x00", [1], "ends within the length"),
        (b"\xff\xff\xff\xffa", [1], "ends within a string"),
        (b"\x01\x00\x00\x00a", [2], "has 1 strings, and its shape 2"),
        (b"", [1], "has 0 strings, and its shape 1"),
    ],
)
def test_strings_that_are_none_are_refused(blob: bytes, shape: list[int], error: str) -> None:
    described = request(tensor("BYTES", shape, binary_data_size=len(blob)))
    assert error in refused(*with_blobs(described, blob), STRINGS)


def test_large_tensors_are_not_copied_where_they_are_aligned() -> None:
    described = request(tensor("FP32", [1, 2], binary_data_size=8))
    padded = described.ljust(len(described) + -len(described) % 16)
    headers, body = with_blobs(padded, b"\0" * 8)
    array = decode(headers, body, SINGLE).feed["x"]
    assert np.shares_memory(array, np.frombuffer(body, np.uint8))


def test_json_may_be_nested_in_any_way_that_gives_the_values() -> None:
    data: Any
    for data in ([1, 2, 3, 4], [[1, 2], [3, 4]], [[[1, 2, 3, 4]]], [[1], [2], [3], [4]]):
        feed = json(request(tensor("FP32", [2, 2], data))).feed
        assert feed["x"].tolist() == [[1, 2], [3, 4]]


def test_an_empty_tensor_is_one() -> None:
    data: Any
    for data in ([], [[]]):
        assert json(request(tensor("FP32", [0, 2], data))).feed["x"].shape == (0, 2)
    described = request(tensor("FP32", [0, 2], binary_data_size=0))
    assert decode(*with_blobs(described), SINGLE).feed["x"].shape == (0, 2)
    described = request(tensor("BYTES", [0], binary_data_size=0))
    assert decode(*with_blobs(described), STRINGS).feed["x"].shape == (0,)


def test_a_tensor_without_values_cannot_be_made_large_for_nothing() -> None:
    manifest = echo("FP32", -1, -1, -1).manifest
    assert json(request(tensor("FP32", [0, 3, 1 << 20], [])), manifest).feed["x"].size == 0
    for shape in ([0, 1, 1 << 62], [0, 1 << 40, 1 << 40], [1 << 25, 0, 1]):
        document = request(tensor("FP32", shape, []))
        assert "too large to be empty" in refused({}, document, manifest)


def test_json_and_binary_mix() -> None:
    numbers = {"name": "n", "datatype": "INT64", "shape": [1], "data": [7]}
    document = request(numbers, tensor("FP32", [1, 2], binary_data_size=8))
    blob = np.array([1, 2], np.float32).tobytes()
    feed = decode(*with_blobs(document, blob), BOTH).feed
    assert feed["n"].tolist() == [7]
    assert feed["x"].tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (b"", "not JSON"),
        (b"[1", "not as the protocol has it"),
        (b"{", "not JSON"),
        (b'{"inputs": "\xff"}', "not"),
        (b"{}", "missing required field `inputs`"),
        (b'{"inputs": 3}', "Expected `array`, got `int` - at `$.inputs`"),
        (request(), "the input 'x' is missing"),
        (request(ROW, ROW), "input 'x' already exists in request"),
        (request({**ROW, "name": "q"}), "there is no input 'q': the model has 'x'"),
        (request(tensor("FP64", [1, 2], [1, 2])), "given as FP64, and the model takes FP32"),
        (request(tensor("FP32", [1, 3], [1, 2, 3])), "the shape [1, 3], and the model takes"),
        (request(tensor("FP32", [2], [1, 2])), "the shape [2], and the model takes"),
        (request(tensor("FP32", [-1, 2], [])), "Expected `int` >= 0"),
        (request({**ROW, "shape": [1.0, 2]}), "Expected `int`, got `float`"),
        (request(tensor("FP32", [True, 2], [1, 2])), "Expected `int`, got `bool`"),
        (request(tensor("FP32", [2, 2], [1, 2])), "has 2 values, and its shape [2, 2] takes 4"),
        (request(tensor("FP32", [1 << 62, 2], [1])), "has 1 values"),
        (request(tensor("FP32", [1, 2], [[1], [2, 3]])), "ragged"),
        (request(tensor("FP32", [1, 2], [1, "2"])), "takes numbers (FP32) only, and got a string"),
        (request(tensor("FP32", [1, 2], [1, None])), "and got null"),
        (request(tensor("FP32", [1, 2], 7)), "must be a list"),
        (request(tensor("FP32", [1, 2])), "the input 'x' has no data"),
        (request(tensor("FP32", [1, 2], binary_data_size=8)), "no Inference-Header"),
        (request(tensor("FP32", [1, 2], [1, 2], binary_data_size=8)), "both data and a binary"),
        (request(tensor("FP32", [1, 2], binary_data_size=-1)), "'binary_data_size': expected"),
        (request(tensor("FP32", [1, 2], binary_data_size=True)), "'binary_data_size': expected"),
        (request(ROW, outputs=[{"name": "q"}]), "there is no output 'q': the model has 'y'"),
        (request(ROW, outputs=[{"name": "y"}] * 2), "output 'y' already exists in request"),
        (request(ROW, parameters={"binary_data_output": 1}), "expected a boolean"),
        (request(ROW, parameters={"nested": {}}), "- at `$.parameters[...]`"),
        (request(ROW, parameters={"timeout": -1}), "'timeout': expected an integer"),
        (request(ROW, parameters={"priority": "high"}), "'priority': expected an integer"),
        (request(ROW, parameters={"non_finite": "zero"}), "'non_finite': expected"),
        (request(ROW, parameters={"timeout": 1})[:-3] + b"9" * 400 + b"}}", "Expected `int` <="),
        (request(tensor("FP32", [1 << 63, 2], [1])), "Expected `int` <="),
        (request(tensor("FP32", [1] * 999, [1])), "Expected `array` of length <= 64"),
        (request(ROW, id=7), "Expected `str | null`, got `int` - at `$.id`"),
        (
            b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":' + b"[" * 300,
            "JSON",
        ),
        (
            b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":'
            + b"[" * 300 + b"1" + b"]" * 300 + b"}]}",
            "JSON nesting depth exceeds maximum allowed limit (100)",
        ),
        (
            b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":'
            + b"[" * 9000 + b"1" + b"]" * 9000 + b"}]}",
            "JSON nesting depth exceeds maximum allowed limit (100)",
        ),
        (b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[NaN,1]}]}', "not JSON"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(document: bytes, error: str) -> None:
    assert error in refused({}, document)


@pytest.mark.parametrize(
    ("datatype", "value", "error"),
    [
        ("UINT8", 256, "no UINT8 holds"),
        ("INT8", -129, "no INT8 holds"),
        ("UINT64", -1, "no UINT64 holds"),
        ("INT64", 1 << 63, "no INT64 holds"),
        ("UINT64", 1 << 64, "no UINT64 holds"),
        ("INT32", 1.0, "takes integers"),
        ("INT32", True, "takes integers"),
        ("FP32", 1e39, "no FP32 holds"),
        ("BYTES", 1, "takes strings"),
        ("BOOL", 2, "takes booleans"),
    ],
)
def test_values_that_a_datatype_lacks_are_refused(datatype: str, value: Any, error: str) -> None:
    document = (
        f'{{"inputs":[{{"name":"x","shape":[1],"datatype":"{datatype}","data":'
        f"[{str(value).lower()}]}}]}}"
    )
    assert error in refused({}, document.encode(), echo(datatype, 1).manifest)


def test_what_the_protocol_lacks_is_passed_over_and_null_is_nothing() -> None:
    members = {"model_name": "m", "id": None, "outputs": None, "parameters": None}
    understood = json(request({**ROW, "parameters": None, "more": [{}]}, **members))
    assert understood.feed["x"].tolist() == [[1, 2]]
    assert understood.id == ""


def test_the_outputs_are_those_asked_for_in_that_order() -> None:
    asked = [{"name": "z"}, {"name": "y", "parameters": {"binary_data": False}}]
    document = request(
        ROW,
        {"name": "n", "datatype": "INT64", "shape": [1], "data": [7]},
        outputs=asked,
        parameters={"binary_data_output": True},
    )
    outputs = json(document, BOTH).outputs
    assert [(each.name, each.binary) for each in outputs] == [("z", True), ("y", False)]
    everything = json(request(ROW), SINGLE).outputs
    assert [(each.name, each.binary) for each in everything] == [("y", False)]


def test_a_timeout_is_in_microseconds_and_nothing_means_none() -> None:
    assert json(request(ROW, parameters={"timeout": 1_500_000})).timeout == 1.5
    assert json(request(ROW, parameters={"timeout": 0})).timeout is None
    assert json(request(ROW)).timeout is None
    assert json(request(ROW, parameters={"priority": 2})).priority == 2


@pytest.mark.parametrize(
    ("size", "error"),
    [
        (b"-1", "between 0 and"),
        (b"abc", "between 0 and"),
        (b"", "between 0 and"),
        (b"99999", "between 0 and"),
        (b"9" * 5000, "between 0 and"),
        (b"5", "not JSON"),
    ],
)
def test_the_length_of_the_json_must_be_one(size: bytes, error: str) -> None:
    document = request(tensor("FP32", [1, 2], binary_data_size=8))
    headers = {b"inference-header-content-length": size}
    assert error in refused(headers, document + b"\0" * 8)


@pytest.mark.parametrize(
    ("size", "blob", "error"),
    [
        (8, b"\0" * 7, "shall have 8 bytes, and the body has 7"),
        (8, b"\0" * 9, "1 bytes follow the last binary tensor"),
        (4, b"\0" * 4, "has 4 bytes of data, and its shape [1, 2] of FP32 takes 8"),
    ],
)
def test_binary_tensors_have_the_bytes_that_are_announced(
    size: int, blob: bytes, error: str
) -> None:
    document = request(tensor("FP32", [1, 2], binary_data_size=size))
    assert error in refused(*with_blobs(document, blob))


def test_data_comes_once() -> None:
    document = request(tensor("FP32", [1, 2], [1, 2], binary_data_size=8))
    assert "both data and a binary_data_size" in refused(*with_blobs(document, b"\0" * 8))


RAW = {b"inference-header-content-length": b"0"}


def test_a_raw_request_is_the_only_input_and_asks_for_all_outputs_in_binary() -> None:
    body = np.arange(6, dtype=np.float32).tobytes()
    understood = decode(RAW, body, SINGLE)
    assert understood.feed["x"].shape == (3, 2)
    assert [each.binary for each in understood.outputs] == [True]
    two_open = echo("FP32", -1, -1).manifest
    assert decode(RAW, body, two_open).feed["x"].shape == (1, 6)
    fixed = echo("FP32", 2, 3).manifest
    assert decode(RAW, body, fixed).feed["x"].shape == (2, 3)
    text = decode(RAW, "ä".encode(), STRINGS)
    assert text.feed["x"].tolist() == ["ä"]


def test_a_raw_request_is_no_json() -> None:
    headers = RAW | {b"content-type": b"application/json"}
    assert "is no JSON" in refused(headers, request(ROW))


@pytest.mark.parametrize(
    ("body", "manifest", "error"),
    [
        (b"\0" * 7, SINGLE, "has 7 bytes of data"),
        (b"", SINGLE, "leaves the shape of x FP32[-1,2] open"),
        (b"\0" * 8, BOTH, "needs a model with one input"),
        (b"\0" * 8, echo("FP32", -1, -1, -1).manifest, "leaves several sizes open"),
        (b"\0" * 8, echo("FP32", 3).manifest, "has 8 bytes of data"),
        (b"\xff", STRINGS, "not UTF-8"),
        (b"a", echo("BYTES", 2).manifest, "a raw request is one string"),
        (b"\0", echo("FP32", -1, 0).manifest, "has 1 bytes of data"),
    ],
)
def test_a_raw_request_must_leave_no_doubt(body: bytes, manifest: Any, error: str) -> None:
    assert error in refused(RAW, body, manifest)


def test_bf16_comes_as_numbers_or_as_bytes() -> None:
    manifest = echo("BF16", 2).manifest
    written = json(request(tensor("BF16", [2], [1.5, -2])), manifest).feed["x"]
    blob = b"\xc0\x3f\x00\xc0"
    described = request(tensor("BF16", [2], binary_data_size=4))
    packed = decode(*with_blobs(described, blob), manifest).feed["x"]
    for array in (written, packed):
        assert bfloat16.to_float32(array).tolist() == [1.5, -2]
    too_large = request(tensor("BF16", [2], [3.4e38, 0]))
    assert "no BF16 holds" in refused({}, too_large, manifest)


def test_inputs_come_in_the_order_of_the_signature_whatever_the_request_says() -> None:
    numbers = {"name": "n", "datatype": "INT64", "shape": [1], "data": [7]}
    assert list(json(request(numbers, ROW), BOTH).feed) == ["x", "n"]


def test_numbers_in_binary_are_hardly_any_effort_and_all_else_is() -> None:
    described = request(tensor("FP32", [1 << 18], binary_data_size=1 << 20))
    headers, body = with_blobs(described, bytes(1 << 20))
    assert effort(headers, body) < len(body) // 50
    assert effort({}, body) == len(body)
    assert effort({b"inference-header-content-length": b"9" * 5000}, body) == len(body)
    assert effort({b"inference-header-content-length": b"-1"}, body) == len(body)
    assert effort(RAW, body) < len(body) // 50
    texts = request(tensor("BYTES", [1 << 18], binary_data_size=1 << 20))
    assert effort(*with_blobs(texts, bytes(1 << 20))) > 1 << 20
