"""The short way of predictions over real connections, and what it leaves to the long one."""

import gzip
import json
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.servers import service_process
from tests.servers.raw_http import connection, conversation, head, post, rest
from tests.servers.service_process import ServiceProcess
from tests.service.answers import answers, body
from tests.service.shelf import Shelf

KEY = "sesame-open-yourself"
WITH_KEY = f"X-API-Key: {KEY}"


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
