"""Large bodies of `/predict`: whichever way they are read, they mean what small ones do."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from pointsman.manifest import TensorSpec
from pointsman_service import json_numbers, number_buffers
from pointsman_service.api import many_numbers
from pointsman_service.errors import InputInvalid

X = TensorSpec(name="x", datatype="FP32", shape=(-1, 2))
N = TensorSpec(name="n", datatype="INT64", shape=(-1,))
NUMBERS = [[1.5, 2], [3, 4]]


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": NUMBERS},
        {"inputs": {"x": NUMBERS}},
        {"inputs": NUMBERS, "more": [1]},
        {"more": [1], "inputs": {"x": NUMBERS}},
        {"more": {"inputs": [[0, 0]]}, "inputs": {"x": NUMBERS}},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_numbers_are_found_in_every_form(body: Any, indent: int | None) -> None:
    feed = many_numbers.read(json.dumps(body, indent=indent).encode(), [X])
    assert feed is not None
    assert feed["x"].tolist() == NUMBERS
    assert feed["x"].dtype == np.float32


def test_several_inputs_are_told_apart() -> None:
    body = json.dumps({"inputs": {"n": [7], "x": NUMBERS}}).encode()
    feed = many_numbers.read(memoryview(body), [X, N])
    assert feed is not None
    assert feed["x"].tolist() == NUMBERS
    assert feed["n"].tolist() == [7]


@pytest.mark.parametrize(
    "body",
    [
        b'{"inputs": [[1, 2]]',
        b'{"inputs": [[1, 2]]}}',
        b'{"inputs": {"x": [[1, 2]]}',
        b'{"inputs": {"y": [[1, 2]]}}',
        b'{"inputs": {"x": [[1, 2]], "y": [1]}}',
        b'{"inputs": [[1, 2]], [[1, 2]]}',
        b'{"inputs": [[1, true]]}',
        b'{"inputs": [[1, 2], [3]]}',
        b'{"inputs": 5}',
        b'{"inputs": {}}',
        b"[[1, 2]]",
        b"",
    ],
)
def test_what_is_wrong_is_left_to_those_who_say_why(body: bytes) -> None:
    assert many_numbers.read(body, [X]) is None


def test_another_shape_is_a_mistake() -> None:
    with pytest.raises(InputInvalid, match=r"has the shape \[1, 3\], and the model takes"):
        many_numbers.read(b'{"inputs": [[1, 2, 3]]}', [X])


def test_other_kinds_than_numbers_are_left_to_others() -> None:
    text = TensorSpec(name="x", datatype="BYTES", shape=(-1,))
    assert many_numbers.read(b'{"inputs": ["a"]}', [text]) is None


def test_what_is_too_long_to_be_looked_at_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_numbers, "EXPLAINED_BYTES", 20)
    body = b'{"inputs": [[1, true]]}'
    with pytest.raises(InputInvalid, match="numbers that the datatype holds") as refused:
        many_numbers.read(body, [X])
    assert f"It has {len(body)} bytes; with up to 20, more would be said" in str(refused.value)


_READS_LARGE = """
import resource
from pointsman.manifest import TensorSpec
from pointsman_service.api import many_numbers

body = b'{"inputs":[' + b"[1,2]," * 3_000_000 + b"[3,4]]}"
spec = TensorSpec(name="x", datatype="FP32", shape=(-1, 2))
many_numbers.read(body[: 1 << 20].rpartition(b",")[0] + b"]}", [spec])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert many_numbers.read(body, [spec])["x"].shape == (3_000_001, 2)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) * 1024 / len(body))
"""


@pytest.mark.skipif(not number_buffers.available, reason="there is no simdjson for this Python")
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is in other units elsewhere")
def test_a_large_body_takes_a_few_times_its_size_in_memory() -> None:
    command = [sys.executable, "-c", _READS_LARGE]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(result.stdout) < 8  # lists of lists of floats take some twenty times as much
