"""The short way of predictions over real connections, and what it leaves to the long one."""

import gzip
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import models
from tests.servers import service_process
from tests.servers.raw_http import connection, conversation, head, post, rest
from tests.servers.service_process import ServiceProcess
from tests.service.shelf import Shelf

KEY = "sesame-open-yourself"
WITH_KEY = f"X-API-Key: {KEY}"
LONG = 20
"""Rounds of two seconds or more: nobody misses that the model is at work, however slow he looks."""


def body(*numbers: float) -> bytes:
    """A row of four numbers that are all the same, for each number."""
    return json.dumps({"inputs": [[number] * 4 for number in numbers]}).encode()


def answers(received: bytes) -> list[tuple[int, dict[str, str], Any]]:
    """Take what was received apart: statuses, headers, and bodies as JSON."""
    found = []
    while received:
        begin, _, received = received.partition(b"\r\n\r\n")
        lines = begin.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        size = int(headers["content-length"])
        found.append((int(lines[0].split()[1]), headers, json.loads(received[:size])))
        received = received[size:]
    return found


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A process that serves `v1`, which doubles, to those who have the key."""
    directory: Path = tmp_path_factory.mktemp("connection")
    url = (directory / "store").as_uri()
    shelf = Shelf.at(url, directory / "models")
    shelf.activate(shelf.affine("v1", 2.0))
    variables = {"POINTSMAN_API_KEYS": KEY, "POINTSMAN_MAX_BODY_BYTES": "20000"}
    with service_process.running(directory / "service", url, **variables) as process:
        process.until_healthy(version="v1")
        yield process
        assert "Traceback" not in process.log


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A process that waits half a second for a request to go on, and serves nothing."""
    directory: Path = tmp_path_factory.mktemp("impatient")
    url = (directory / "store").as_uri()
    variables = {"POINTSMAN_API_KEYS": KEY, "POINTSMAN_RECEIVE_TIMEOUT": "0.5"}
    with service_process.running(directory / "service", url, **variables) as process:
        yield process
        assert "Traceback" not in process.log


@contextmanager
def one_core() -> Iterator[None]:
    """Let processes that are started now have one core, so that they compute in one thread."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[ServiceProcess]:
    """A process whose model takes a tenth of a second per round, one run at a time."""
    url = (tmp_path / "store").as_uri()
    shelf = Shelf.at(url, tmp_path / "models")
    shelf.activate(shelf.put("v1", models.slow(tmp_path / "model.onnx")))
    variables = {"POINTSMAN_MAX_QUEUE": "2", "POINTSMAN_DRAIN_TIMEOUT": "120"}
    with service_process.prepared(tmp_path / "service", url, **variables) as process:
        with one_core():
            process.start()
        process.until_healthy(version="v1")
        assert process.in_flight == 0, "the first look takes far longer than those after it"
        yield process
        assert "Traceback" not in process.log


def test_an_answer_is_complete_to_the_byte(service: ServiceProcess) -> None:
    request = post("/predict", body(1.5), WITH_KEY, "X-Request-Id: mine", last=True)
    received = conversation(service, request)
    health = service.health()[1]
    expected = (
        r"HTTP/1\.1 200 OK\r\ncontent-type: application/json\r\ndate: [^\r]+ GMT\r\n"
        r"x-model-version: v1\r\nx-model-digest: DIGEST\r\nconnection: close\r\n"
        r"content-length: \d+\r\nx-request-id: mine\r\n\r\n"
        r'\{"outputs":\{"y":\[\[3\.0,3\.0,3\.0,3\.0\]\]\},'
        r'"model":\{"name":"m","version":"v1","digest":"DIGEST"\}\}'
    ).replace("DIGEST", health["digest"])
    assert re.fullmatch(expected, received.decode())


def test_both_ways_give_the_same_answer(service: ServiceProcess) -> None:
    headers = {"x-api-key": KEY}
    with httpx.Client(base_url=service.url, headers=headers, timeout=120) as client:
        short = client.post("/predict", content=body(1, 2))
        packed = {"content-encoding": "gzip"}
        long = client.post("/predict", content=gzip.compress(body(1, 2)), headers=packed)
        chunked = client.post("/predict", content=iter([body(1, 2)[:9], body(1, 2)[9:]]))
    assert short.status_code == long.status_code == chunked.status_code == 200
    assert short.content == long.content == chunked.content
    assert short.headers.keys() == long.headers.keys() == chunked.headers.keys()


def test_requests_that_do_not_wait_for_answers_are_answered_in_their_order(
    service: ServiceProcess,
) -> None:
    requests = [
        post("/predict", body(1), WITH_KEY),
        head("GET", "/livez", last=False),
        post("/predict", body(2), WITH_KEY),
        post("/predict", b"nonsense", WITH_KEY),
        post("/v2/models/m/infer", b"{}", WITH_KEY),
        post("/predict", body(3), WITH_KEY, last=True),
    ]
    found = answers(conversation(service, b"".join(requests)))
    assert [status for status, _, _ in found] == [200, 200, 200, 400, 400, 200]
    first = [content["outputs"]["y"][0][0] for _, _, content in found if "outputs" in content]
    assert first == [2, 4, 6]


def test_a_request_may_come_byte_by_byte(service: ServiceProcess) -> None:
    request = post("/predict", body(1), WITH_KEY, last=True)
    received = conversation(service, *(request[n : n + 1] for n in range(len(request))))
    assert answers(received)[0][2]["outputs"]["y"] == [[2, 2, 2, 2]]


def test_a_connection_is_kept_for_the_next_request(service: ServiceProcess) -> None:
    with connection(service) as each:
        for number in range(3):
            each.sendall(post("/predict", body(number), WITH_KEY))
            (answer,) = answers(each.recv(65536))
            assert answer[2]["outputs"]["y"][0][0] == 2 * number
            assert "connection" not in answer[1]


def test_an_old_client_gets_its_prediction_and_the_end_of_its_connection(
    service: ServiceProcess,
) -> None:
    request = post("/predict", body(1), WITH_KEY).replace(b"HTTP/1.1", b"HTTP/1.0")
    (answer,) = answers(conversation(service, request))
    assert (answer[0], answer[1]["connection"]) == (200, "close")


def test_a_key_that_was_accepted_on_a_connection_lets_no_other_pass(
    service: ServiceProcess,
) -> None:
    keys = (KEY, KEY, "wrong-key-altogether", KEY, "", KEY[:-1])
    requests = [post("/predict", body(1), f"X-API-Key: {key}") for key in keys]
    requests.append(head("GET", "/livez"))
    found = answers(conversation(service, b"".join(requests)))
    assert [status for status, _, _ in found] == [200, 200, 401, 200, 401, 401, 200]


def test_a_mistake_names_the_version_that_judged_it(service: ServiceProcess) -> None:
    request = post("/predict", b'{"inputs": [[true, 1, 2, 3]]}', WITH_KEY, last=True)
    ((status, headers, content),) = answers(conversation(service, request))
    assert (status, headers["x-model-version"]) == (400, "v1")
    assert content == {"error": "'x' takes numbers (FP32) only, and got a boolean"}


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        (head("GET", "/livez", *(f"X-{n}: y" for n in range(200))), 431, "100 headers"),
        (b"GET /livez HTTP/1.1\r\nX: " + b"y" * 40_000, 431, "32768 bytes"),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n", 400, "Invalid"),
        (post("/predict", b"12345", "Transfer-Encoding: chunked"), 400, "Invalid"),
        (post("/predict", b"12345", "Content-Length: 6"), 400, "Invalid"),
    ],
)
def test_what_no_decent_client_sends_is_refused_and_the_connection_closed(
    service: ServiceProcess, request_: bytes, status: int, error: str
) -> None:
    ((found, headers, content),) = answers(conversation(service, request_))
    assert (found, headers["connection"]) == (status, "close")
    assert error in content["error"]


@pytest.mark.parametrize(
    "part",
    [
        b"POST /predict HTTP/1.1\r\nHost",
        post("/predict", body(1), WITH_KEY)[:-5],
        post("/predict?a=b", body(1), WITH_KEY)[:-5],
    ],
)
def test_a_request_that_stops_coming_is_given_up(impatient: ServiceProcess, part: bytes) -> None:
    ((status, _, content),) = answers(conversation(impatient, part))
    assert status == 408
    assert content == {"error": "the request takes too long to arrive"}


def answered_early(each: socket.socket) -> bytes:
    """Begin a request without a key, and return what is answered before it has come whole."""
    begin = head("POST", "/predict", "Transfer-Encoding: chunked", last=False)
    each.sendall(begin + b"1\r\n{\r\n")
    received = b""
    while not received.endswith(b"}"):
        received += each.recv(65536)
    return received


def test_a_request_that_was_answered_is_not_answered_again(service: ServiceProcess) -> None:
    with connection(service) as each:
        first = answered_early(each)
        each.sendall(b"no chunk\r\n")
        assert [status for status, _, _ in answers(first + rest(each))] == [401]


def test_an_answered_request_that_stops_coming_is_not_answered_again(
    impatient: ServiceProcess,
) -> None:
    with connection(impatient) as each:
        first = answered_early(each)
        assert [status for status, _, _ in answers(first + rest(each))] == [401]


def test_a_head_is_not_measured_with_the_bodies_before_it(service: ServiceProcess) -> None:
    large = json.dumps({"inputs": [[1.5] * 4] * 800}).encode()
    last = head("GET", "/livez")
    received = conversation(service, post("/predict", large, WITH_KEY) * 4 + last[:9], last[9:])
    assert [status for status, _, _ in answers(received)] == [200] * 5


def test_what_stands_behind_a_body_is_bounded(service: ServiceProcess) -> None:
    begin = head("POST", "/livez", "Transfer-Encoding: chunked", last=False) + b"0\r\n"
    with connection(service) as each, suppress(ConnectionError):
        each.sendall(begin)
        received = b""
        while not received.endswith(b"}"):
            received += each.recv(65536)
        assert [status for status, _, _ in answers(received)] == [405]
        each.sendall(b"a:\r\n" * (1 << 20) + b"\r\n" + head("GET", "/livez"))
        assert rest(each) == b""


def test_one_who_leaves_before_several_answers_leaves_no_trace(slow: ServiceProcess) -> None:
    with connection(slow) as each:
        long_way = rounds(LONG).replace(b"/predict", b"/predict?long=way")
        each.sendall(long_way + head("GET", "/livez"))
        slow.until(lambda: slow.in_flight == 1, "the model is at work")
    slow.until(lambda: slow.in_flight == 0, "it is done")


def test_an_end_waits_for_a_request_that_is_still_arriving(slow: ServiceProcess) -> None:
    with connection(slow) as each:
        each.sendall(head("GET", "/livez", last=False) + rounds(1)[:9])
        received = b""
        while not received.endswith(b"}"):
            received += each.recv(65536)
        slow.signal(signal.SIGTERM)
        slow.until(lambda: not accepts(slow), "no further connections are accepted")
        each.sendall(rounds(1)[9:])
        ((status, headers, _),) = answers(rest(each))
    assert (status, headers["connection"]) == (200, "close")
    assert slow.wait() == 0


def accepts(service: ServiceProcess) -> bool:
    """Tell whether a service still takes connections."""
    try:
        connection(service).close()
    except ConnectionError:
        return False
    return True


def dropped(service: ServiceProcess) -> int:
    """Return how many requests ended without an answer and without anybody's fault."""
    lines = httpx.get(f"{service.url}/metrics", timeout=120).text.splitlines()
    (line,) = (line for line in lines if line.startswith("pointsman_dropped_total"))
    return int(float(line.split()[-1]))


def rounds(count: int) -> bytes:
    """A request that takes as many tenths of a second."""
    return post("/predict", json.dumps({"inputs": [[count]]}).encode())


def test_callers_who_leave_harm_nobody_in_their_batch(slow: ServiceProcess) -> None:
    with connection(slow) as busy, connection(slow) as leaving, connection(slow) as staying:
        busy.sendall(rounds(LONG))
        slow.until(lambda: slow.in_flight == 1, "the model is at work")
        leaving.sendall(rounds(1))
        staying.sendall(rounds(1))
        slow.until(lambda: slow.in_flight == 3, "two wait")
        leaving.close()
        slow.until(lambda: dropped(slow) == 1, "the one who left is noticed")
        assert answers(busy.recv(65536))[0][2]["outputs"]["y"] == [[2 * LONG]]
        assert answers(staying.recv(65536))[0][2]["outputs"]["y"] == [[2]]
    slow.until(lambda: slow.in_flight == 0, "nothing is left behind")


def test_who_finds_the_queue_full_is_told_when_to_come_back(slow: ServiceProcess) -> None:
    with connection(slow) as busy, connection(slow) as first, connection(slow) as second:
        busy.sendall(rounds(LONG))
        slow.until(lambda: slow.in_flight == 1, "the model is at work")
        for each in (first, second):
            each.sendall(rounds(1))
        slow.until(lambda: slow.in_flight == 3, "two wait")
        response = slow.predict([[2]])
        assert (response.status_code, response.headers["retry-after"]) == (429, "1")
        assert "waiting already" in response.json()["error"]
        for each in (busy, first, second):
            assert answers(each.recv(65536))[0][0] == 200


def test_a_caller_may_say_how_long_it_waits(slow: ServiceProcess) -> None:
    response = slow.predict([[LONG]], headers={"x-request-timeout": "0.2"})
    assert response.status_code == 504
    assert "deadline" in response.json()["error"]
    slow.until(lambda: dropped(slow) == 1, "it is counted")
    for nonsense in ("soon", "-1", "nan", "1e999", "0"):
        assert slow.predict([[0]], headers={"x-request-timeout": nonsense}).status_code == 200


def test_an_end_waits_for_what_is_under_way_and_says_goodbye(slow: ServiceProcess) -> None:
    with connection(slow) as each:
        each.sendall(rounds(LONG))
        slow.until(lambda: slow.in_flight == 1, "the model is at work")
        slow.signal(signal.SIGTERM)
        ((status, headers, content),) = answers(rest(each))
    assert (status, headers["connection"]) == (200, "close")
    assert content["outputs"]["y"] == [[2 * LONG]]
    assert slow.wait() == 0


def test_requests_are_logged_only_where_that_is_wanted(
    service: ServiceProcess, tmp_path: Path
) -> None:
    url = (tmp_path / "store").as_uri()
    shelf = Shelf.at(url, tmp_path / "models")
    shelf.activate(shelf.affine("v1", 2.0))
    variables = {"POINTSMAN_ACCESS_LOG": "true", "POINTSMAN_LOG_FORMAT": "json"}
    with service_process.running(tmp_path / "service", url, **variables) as logging:
        logging.until_healthy(version="v1")
        logging.predict([[1, 2, 3, 4]], headers={"x-request-id": "short-way"})
        logging.predict([[1]], headers={"x-request-id": "mistake"})
        logging.until(lambda: '"mistake"' in logging.log, "both are logged")
        entries = [json.loads(line) for line in logging.log.splitlines()]
        logged = {entry.get("request"): entry for entry in entries}
    assert (logged["short-way"]["status"], logged["mistake"]["status"]) == (200, 400)
    assert logged["short-way"]["path"] == "/predict"
    assert "/livez" not in service.log
