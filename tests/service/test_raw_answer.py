"""Answers of `/predict` in bytes."""

import json

import numpy as np
import pytest

from pointsman_service.api.raw_answer import is_accepted, write
from tests.service.in_process import InProcess
from tests.service.v2.versions import echo, spec, version


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (b"", False),
        (b"*/*", False),
        (b"application/json", False),
        (b"application/octet-stream", True),
        (b"Application/Octet-Stream", True),
        (b"application/octet-stream;q=0", False),
        (b"application/octet-stream;q=x", False),
        (b"application/json, application/octet-stream", False),
        (b"application/octet-stream, application/json", True),
        (b"application/json;q=0.5, application/octet-stream;q=0.9", True),
        (b"application/json, application/octet-stream;q=0.9", False),
        (b"text/html, application/octet-stream, */*;q=0.1", True),
    ],
)
def test_bytes_are_for_those_who_prefer_them(accept: bytes, *, expected: bool) -> None:
    assert is_accepted(accept) is expected


def test_the_only_output_is_its_bytes_and_described_by_headers() -> None:
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    response = write({"y": array}, echo("INT16", -1, 3))
    assert response.content_type == b"application/octet-stream"
    assert response.body == array.tobytes()
    assert dict(response.headers) == {
        b"x-tensor-name": b"y",
        b"x-tensor-datatype": b"INT16",
        b"x-tensor-shape": b"2,3",
    }


def test_a_name_that_no_header_can_hold_is_encoded() -> None:
    served = version((spec("x", "BOOL", 1),), (spec("ä\r\nb", "BOOL", 1),))
    response = write({"ä\r\nb": np.array([True])}, served)
    assert dict(response.headers)[b"x-tensor-name"] == b"%C3%A4%0D%0Ab"
    assert response.body == b"\x01"


def test_several_outputs_come_in_the_protocols_binary_form() -> None:
    served = version((spec("x", "FP32", 1),), (spec("y", "FP32", 1), spec("z", "BYTES", 1)))
    outputs = {"y": np.array([1], np.float32), "z": np.array(["a"], object)}
    response = write(outputs, served)
    size = int(dict(response.headers)[b"inference-header-content-length"])
    described = json.loads(response.body[:size])["outputs"]
    assert [each["name"] for each in described] == ["y", "z"]
    assert response.body[size:] == outputs["y"].tobytes() + b"\x01\0\0\0a"


@pytest.mark.anyio
async def test_predict_answers_in_bytes(served: InProcess) -> None:
    response = await served.predict([[1, 2, 3, 4]], headers={"accept": "application/octet-stream"})
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["x-tensor-shape"] == "1,4"
    assert response.headers["x-model-version"] == "v1"
    assert np.frombuffer(response.content, np.float32).tolist() == [2, 4, 6, 8]
    wrong = await served.predict([], headers={"accept": "application/octet-stream"})
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, "application/json")
