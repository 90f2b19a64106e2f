"""From outputs to the wire."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pointsman import bfloat16, datatypes
from pointsman.manifest import Version
from pointsman_service.api.v2.encoding import Form, encode
from pointsman_service.api.v2.inference_request import InferenceRequest, RequestedOutput
from pointsman_service.errors import InputInvalid
from tests.service.v2.versions import echo, spec, version

Answer = tuple[dict[bytes, bytes], dict[str, Any], bytes]
NUMBERS = [name for name in datatypes.NUMPY if name not in {"BYTES", "BF16"}]


def answered(
    served: Version, *asked: RequestedOutput, non_finite: str = "", **outputs: NDArray[Any]
) -> Answer:
    """Return the headers, the JSON and what follows it."""
    request = InferenceRequest({}, asked, id="i", non_finite=non_finite)
    headers, body = encode(request, outputs, Form(served))
    given = dict(headers)
    size = int(given.get(b"inference-header-content-length", len(body)))
    return given, json.loads(body[:size]), body[size:]


def y(*, binary: bool = False, classes: int = 0) -> RequestedOutput:
    return RequestedOutput("y", binary, classes)


def test_an_answer_in_json_is_plain_json() -> None:
    served = echo("FP32", -1, 2)
    headers, document, blob = answered(served, y(), y=np.array([[0.1, 2]], np.float32))
    assert headers == {b"content-type": b"application/json"}
    assert document == {
        "model_name": "m",
        "model_version": "v7",
        "id": "i",
        "parameters": {"version": "v7", "digest": "sha256:7"},
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [0.1, 2.0]}],
    }
    assert blob == b""


@pytest.mark.parametrize("datatype", NUMBERS)
@pytest.mark.parametrize("binary", [False, True])
def test_all_numbers_can_be_answered(datatype: str, *, binary: bool) -> None:
    array = np.array([[0, 1], [1, 0]]).astype(datatypes.NUMPY[datatype])
    headers, document, blob = answered(echo(datatype, -1, 2), y(binary=binary), y=array.T)
    output = document["outputs"][0]
    assert output["shape"] == [2, 2]
    if binary:
        assert headers[b"content-type"] == b"application/octet-stream"
        assert output["parameters"] == {"binary_data_size": array.nbytes}
        assert "data" not in output
        assert np.frombuffer(blob, array.dtype).tolist() == [0, 1, 1, 0]
    else:
        assert output["data"] == [0, 1, 1, 0]


def test_strings_can_be_answered() -> None:
    array = np.array([["ä", ""]], object)
    served = echo("BYTES", -1, 2)
    assert answered(served, y(), y=array)[1]["outputs"][0]["data"] == ["ä", ""]
    _, document, blob = answered(served, y(binary=True), y=array)
    assert document["outputs"][0]["parameters"] == {"binary_data_size": len(blob)}
    assert blob == struct.pack("<I", 2) + "ä".encode() + struct.pack("<I", 0)


@pytest.mark.parametrize("datatype", ["FP32", "BYTES"])
def test_an_empty_tensor_is_answered(datatype: str) -> None:
    array = np.empty((0, 2), datatypes.NUMPY[datatype])
    served = echo(datatype, -1, 2)
    assert answered(served, y(), y=array)[1]["outputs"][0]["data"] == []
    headers, document, blob = answered(served, y(binary=True), y=array)
    assert document["outputs"][0]["shape"] == [0, 2]
    assert (document["outputs"][0]["parameters"], blob) == ({"binary_data_size": 0}, b"")
    assert b"inference-header-content-length" in headers


def test_a_scalar_is_answered() -> None:
    _, document, _ = answered(echo("FP32"), y(), y=np.array(3, np.float32))
    assert (document["outputs"][0]["shape"], document["outputs"][0]["data"]) == ([], [3.0])


def test_outputs_mix_and_come_in_the_order_asked_for() -> None:
    served = version((spec("x", "FP32", 1),), (spec("y", "FP32", 1), spec("z", "INT64", 1)))
    one, two = np.array([1], np.float32), np.array([2], np.int64)
    asked = RequestedOutput("z", binary=True), RequestedOutput("y", binary=False)
    _, document, blob = answered(served, *asked, y=one, z=two)
    assert [each["name"] for each in document["outputs"]] == ["z", "y"]
    assert document["outputs"][1]["data"] == [1.0]
    assert blob == two.tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64"])
def test_what_json_cannot_say_is_refused_unless_the_client_says_how(
    datatype: str, value: float
) -> None:
    array = np.array([1, value], datatypes.NUMPY[datatype])
    served = echo(datatype, 2)
    with pytest.raises(InputInvalid, match="output 'y' contains NaN/Inf; request it with binary"):
        answered(served, y(), y=array)
    tokens = answered(served, y(), non_finite="token", y=array)[1]["outputs"][0]["data"]
    assert np.array_equal(tokens, array, equal_nan=True)
    nulls = answered(served, y(), non_finite="null", y=array)[1]["outputs"][0]["data"]
    assert nulls == [1.0, None]
    blob = answered(served, y(binary=True), y=array)[2]
    assert blob == array.tobytes()


def test_the_best_classes_come_in_descending_order_with_the_lower_index_first() -> None:
    array = np.array([[0.1, 0.7, 0.2], [0.5, 0.5, np.nan]], np.float32)
    _, document, _ = answered(echo("FP32", -1, 3), y(classes=2), y=array)
    output = document["outputs"][0]
    assert (output["datatype"], output["shape"]) == ("BYTES", [2, 2])
    assert output["data"] == ["0.7:1", "0.2:2", "0.5:0", "0.5:1"]
    _, document, blob = answered(
        echo("INT8", 3), y(classes=9, binary=True), y=np.array([-128, 3, 0], np.int8)
    )
    assert document["outputs"][0]["shape"] == [3]
    assert blob == b"\x03\0\0\x003:1\x03\0\0\x000:2\x06\0\0\x00-128:0"


def test_an_output_without_rows_has_no_classes() -> None:
    empty = np.empty((0, 3), np.float32)
    _, document, _ = answered(echo("FP32", -1, 3), y(classes=2), y=empty)
    assert (document["outputs"][0]["shape"], document["outputs"][0]["data"]) == ([0, 2], [])


def test_strings_have_no_best_classes() -> None:
    with pytest.raises(InputInvalid, match="output 'y' is BYTES, which has no best classes"):
        answered(echo("BYTES", 1), y(classes=1), y=np.array(["a"], object))


def test_bf16_is_answered_as_numbers_or_as_bytes() -> None:
    array = bfloat16.from_float32(np.array([1.5, -2], np.float32))
    served = echo("BF16", 2)
    assert answered(served, y(), y=array)[1]["outputs"][0]["data"] == [1.5, -2]
    assert answered(served, y(binary=True), y=array)[2] == b"\xc0\x3f\x00\xc0"
    assert answered(served, y(classes=1), y=array)[1]["outputs"][0]["data"] == ["1.5:0"]


def test_the_word_null_in_a_string_is_only_a_word() -> None:
    served = version((spec("x", "FP32", 1),), (spec("y", "FP32", 1), spec("z", "BYTES", 1)))
    one, text = np.array([1], np.float32), np.array(["null"], object)
    asked = RequestedOutput("y", binary=False), RequestedOutput("z", binary=False)
    assert answered(served, *asked, y=one, z=text)[1]["outputs"][1]["data"] == ["null"]
