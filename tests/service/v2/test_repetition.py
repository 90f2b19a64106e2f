"""Who asks in binary says the same about it again and again, and is understood once."""

import numpy as np
import pytest

from pointsman_service.api.v2.decoding import Plans, decode
from pointsman_service.api.v2.encoding import Form, encode
from pointsman_service.api.v2.inference_request import InferenceRequest, RequestedOutput
from pointsman_service.errors import InputInvalid
from tests.service.v2.requests import request, tensor, with_blobs
from tests.service.v2.versions import echo, spec, version

SINGLE = echo("FP32", -1, 2)
IN_BINARY = request(tensor("FP32", [1, 2], binary_data_size=8), id="i", parameters={"priority": 3})


def blob(*numbers: float) -> bytes:
    return np.array(numbers, np.float32).tobytes()


def test_the_same_words_about_other_tensors_are_understood_once() -> None:
    plans: Plans = {}
    for number in (1.0, 2.0):
        found = decode(*with_blobs(IN_BINARY, blob(number, 7)), SINGLE.manifest, plans)
        assert found.feed["x"].tolist() == [[number, 7]]
        assert (found.id, found.priority) == ("i", 3)
        found.id = "changed by who answers"
    assert list(plans) == [IN_BINARY]


def test_what_is_known_is_held_against_every_body_anew() -> None:
    plans: Plans = {}
    decode(*with_blobs(IN_BINARY, blob(1, 2)), SINGLE.manifest, plans)
    for wrong, error in ((blob(1), "the body has 4 for it"), (blob(1, 2, 3), "4 bytes follow")):
        with pytest.raises(InputInvalid, match=error):
            decode(*with_blobs(IN_BINARY, wrong), SINGLE.manifest, plans)


def test_several_tensors_stay_each_in_its_place() -> None:
    both = version((spec("x", "FP32", -1, 2), spec("n", "INT64", -1)), ()).manifest
    n = tensor("INT64", [1], binary_data_size=8) | {"name": "n"}
    document = request(n, tensor("FP32", [1, 2], binary_data_size=8))
    plans: Plans = {}
    for number in (5, 6):
        body = with_blobs(document, np.array([number]).tobytes(), blob(1, number))
        found = decode(*body, both, plans)
        assert list(found.feed) == ["x", "n"]
        assert (found.feed["x"].tolist(), found.feed["n"].tolist()) == ([[1, number]], [number])
    assert len(plans) == 1


def test_values_in_the_json_and_long_texts_are_not_kept() -> None:
    plans: Plans = {}
    decode(*with_blobs(request(tensor("FP32", [1, 2], [1, 2]))), SINGLE.manifest, plans)
    described = tensor("FP32", [1, 2], binary_data_size=8)
    long = request(described, id="i" * 5000)
    assert decode(*with_blobs(long, blob(1, 2)), SINGLE.manifest, plans).id == "i" * 5000
    with pytest.raises(InputInvalid):
        decode(*with_blobs(b'{"inputs": 7}'), SINGLE.manifest, plans)
    assert not plans


def test_who_says_something_else_every_time_fills_no_memory() -> None:
    plans: Plans = {}
    form = Form(SINGLE)
    for number in range(1000):
        described = tensor("FP32", [1, 2], binary_data_size=8)
        body = with_blobs(request(described, id=str(number)), blob(1, 2))
        assert decode(*body, SINGLE.manifest, plans).id == str(number)
        answered = InferenceRequest({}, [RequestedOutput("y", binary=True)], "i")
        encode(answered, {"y": np.zeros((number, 2), np.float32)}, form)
    assert len(plans) <= 64
    assert len(form.described) <= 64


def test_answers_of_one_shape_differ_in_their_id_and_their_bytes() -> None:
    form = Form(SINGLE)
    bodies = []
    for number in (1.0, 2.0):
        answered = InferenceRequest({}, [RequestedOutput("y", binary=True)], f"id {number}")
        headers, body = encode(answered, {"y": np.array([[number, 7]], np.float32)}, form)
        length = int(dict(headers)[b"inference-header-content-length"])
        assert f'"id":"id {number}"'.encode() in body[:length]
        assert body[length:] == blob(number, 7)
        bodies.append(body)
    assert bodies[0] != bodies[1]
    assert len(form.described) == 1
