"""Large bodies over real connections: received past the parser, and nothing else is different."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pointsman_service.large_body import LargeBody
from tests.servers import service_process
from tests.servers.raw_http import connection, conversation, head, post, rest
from tests.servers.service_process import ServiceProcess
from tests.service.shelf import Shelf

ROWS = 30_000  # of four numbers: 480 kB in binary, beyond what is read at once
LIMIT = 2_000_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A process that serves `v1`, which doubles."""
    directory: Path = tmp_path_factory.mktemp("large")
    url = (directory / "store").as_uri()
    shelf = Shelf.at(url, directory / "models")
    shelf.activate(shelf.affine("v1", 2.0))
    variables = {"POINTSMAN_MAX_BODY_BYTES": str(LIMIT)}
    with service_process.running(directory / "service", url, **variables) as process:
        process.until_healthy(version="v1")
        yield process
        assert "Traceback" not in process.log


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[ServiceProcess]:
    """A process that waits half a second for a body to go on, and serves nothing."""
    variables = {"POINTSMAN_MAX_BODY_BYTES": str(LIMIT), "POINTSMAN_RECEIVE_TIMEOUT": "0.5"}
    url = (tmp_path / "store").as_uri()
    with service_process.running(tmp_path / "service", url, **variables) as process:
        yield process
        assert "Traceback" not in process.log


def numbers(first: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Rows that are all different."""
    return np.arange(first, first + 4 * ROWS, dtype=np.float32).reshape(ROWS, 4)


def request(first: float, *, last: bool) -> bytes:
    """A prediction in binary, both ways."""
    shape = [ROWS, 4]
    document = json.dumps(
        {
            "inputs": [
                {
                    "name": "x",
                    "datatype": "FP32",
                    "shape": shape,
                    "parameters": {"binary_data_size": 16 * ROWS},
                }
            ],
            "outputs": [{"name": "y", "parameters": {"binary_data": True}}],
        }
    ).encode()
    body = document + numbers(first).tobytes()
    length = f"Inference-Header-Content-Length: {len(document)}"
    return post("/v2/models/m/infer", body, length, last=last)


def doubled(first: float, received: bytes) -> bool:
    """Tell whether an answer's last bytes are twice what was asked."""
    return received.endswith((numbers(first) * 2).tobytes())


@pytest.mark.parametrize("size", [100_000, 9_000_000])
@pytest.mark.parametrize("lead", [0, 1, 16, 163])
def test_tensors_behind_json_of_any_length_are_aligned(size: int, lead: int) -> None:
    sent = np.arange(size, dtype=np.uint8).tobytes()
    body, at, whole = LargeBody(size, [sent[:10], sent[10:50]], lead), 50, False
    while not whole:
        room = body.rest
        part = sent[at : at + min(len(room), 700_001)]
        room[: len(part)] = part
        at += len(part)
        whole = body.took(len(part))
    assert body.whole() == sent
    assert np.frombuffer(body.whole()[lead:], np.uint8).ctypes.data % 16 == 0


def test_a_large_body_is_answered_as_a_small_one_is(service: ServiceProcess) -> None:
    received = conversation(service, request(1, last=True))
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert doubled(1, received)


def test_it_may_come_in_pieces_of_any_size(service: ServiceProcess) -> None:
    whole = request(2, last=True)
    cuts = [0, 50, len(whole) - 16 * ROWS, 100_000, 100_001, 400_000, len(whole) - 1, len(whole)]
    pieces = [whole[begin:end] for begin, end in itertools.pairwise(cuts)]
    assert doubled(2, conversation(service, *pieces))


def test_the_connection_goes_on_with_small_and_large_requests(service: ServiceProcess) -> None:
    small = post("/predict", b'{"inputs": [[1, 1, 1, 1]]}')
    received = conversation(service, request(3, last=False), small, request(4, last=True))
    assert received.count(b"HTTP/1.1 200 OK") == 3
    assert doubled(4, received)


def test_what_follows_a_large_body_at_once_is_a_request_of_its_own(
    service: ServiceProcess,
) -> None:
    received = conversation(service, request(5, last=False) + request(6, last=True))
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.index((numbers(5) * 2).tobytes()) < received.index((numbers(6) * 2).tobytes())


def test_half_a_head_behind_a_large_body_waits_for_its_other_half(
    service: ServiceProcess,
) -> None:
    large = b'{"inputs": [[1, 1, 1, 1]]' + b" " * 100_000 + b"}"
    first, second = post("/predict", large), post("/predict", large, last=True)
    with connection(service) as each:
        each.sendall(first + second[:40])
        received = each.recv(65536)
        each.sendall(second[40:])
        received += rest(each)
    assert received.count(b"HTTP/1.1 200 OK") == 2


def test_large_json_is_read_as_well(service: ServiceProcess) -> None:
    body = json.dumps({"inputs": numbers(0)[:9000].tolist()}).encode()
    received = conversation(service, post("/predict", body, last=True))
    document = json.loads(received.partition(b"\r\n\r\n")[2])
    assert np.array_equal(document["outputs"]["y"], numbers(0)[:9000] * 2)


def test_a_mistake_in_a_large_body_is_explained_and_the_connection_kept(
    service: ServiceProcess,
) -> None:
    wrong = post("/predict", b'{"inputs": ' + b"[" * 100_000)
    received = conversation(service, wrong, request(7, last=True))
    assert received.startswith(b"HTTP/1.1 400 ")
    assert doubled(7, received)


def test_a_body_that_stops_coming_is_given_up(impatient: ServiceProcess) -> None:
    with connection(impatient) as each:
        each.sendall(request(8, last=False)[:300_000])
        assert rest(each).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_leaves_in_the_middle_harms_nobody(service: ServiceProcess) -> None:
    for _ in range(20):
        with connection(service) as each:
            each.sendall(request(9, last=False)[:200_000])
    with connection(service) as each:
        each.sendall(request(9, last=False)[:200_000])
        each.shutdown(1)  # no more will come
        assert rest(each) == b""
    assert doubled(9, conversation(service, request(9, last=True)))


def test_one_that_is_too_large_is_refused_before_it_comes(service: ServiceProcess) -> None:
    received = conversation(
        service, head("POST", "/predict", f"Content-Length: {LIMIT + 1}", last=True), b"["
    )
    assert received.startswith(b"HTTP/1.1 413 ")
