"""The service over real connections: what a socket can do that an in-process call cannot."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers import service_process
from tests.servers.raw_http import connection, conversation, head
from tests.servers.service_process import ServiceProcess
from tests.service.shelf import Shelf

LIMIT = 20_000
BODY = b'{"inputs": [[1, 2, 3, 4]]}'


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A process that serves `v1`, which doubles; its log must stay free of tracebacks."""
    directory: Path = tmp_path_factory.mktemp("over_http")
    url = (directory / "store").as_uri()
    shelf = Shelf.at(url, directory / "models")
    shelf.activate(shelf.affine("v1", 2.0))
    with service_process.running(
        directory / "service", url, POINTSMAN_MAX_BODY_BYTES=str(LIMIT)
    ) as process:
        process.until_healthy(version="v1")
        yield process
        assert "Traceback" not in process.log


@pytest.fixture(scope="module")
def client(service: ServiceProcess) -> Iterator[httpx.Client]:
    """A client that keeps its connections."""
    with httpx.Client(base_url=service.url, timeout=120) as each:
        yield each


def errors(client: httpx.Client) -> float:
    """Return how many requests the service counts as failed."""
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("pointsman_errors"))


def test_it_answers_predictions(client: httpx.Client) -> None:
    response = client.post("/predict?colour=red", content=BODY)
    assert response.json()["outputs"] == {"y": [[2, 4, 6, 8]]}
    assert response.headers["content-length"] == str(len(response.content))


def test_a_head_has_the_length_and_no_body(client: httpx.Client) -> None:
    response = client.head("/livez")
    assert response.content == b""
    assert response.headers["content-length"] == str(len(client.get("/livez").content))


def test_a_body_may_have_as_many_bytes_as_the_limit_and_no_more(client: httpx.Client) -> None:
    assert client.post("/predict", content=BODY.ljust(LIMIT)).status_code == 200
    response = client.post("/predict", content=BODY.ljust(LIMIT + 1))
    assert response.status_code == 413
    assert response.json()["error"] == f"a request may have {LIMIT} bytes, and this one has more"
    assert client.post("/predict", content=BODY).status_code == 200


def test_a_body_without_a_length_has_the_same_limit(client: httpx.Client) -> None:
    def chunks(count: int) -> Iterator[bytes]:
        yield BODY
        for _ in range(count):
            yield b" " * 1000

    assert client.post("/predict", content=chunks(10)).status_code == 200
    assert client.post("/predict", content=chunks(1000)).status_code == 413
    assert client.post("/predict", content=BODY).status_code == 200


def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(
    service: ServiceProcess,
) -> None:
    lines = ("Content-Length: 999999999", "Expect: 100-continue")
    answer = conversation(service, head("POST", "/predict", *lines))
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_client_that_waits_for_permission_gets_it(service: ServiceProcess) -> None:
    lines = (f"Content-Length: {len(BODY)}", "Expect: 100-continue")
    answer = conversation(service, head("POST", "/predict", *lines), BODY)
    assert answer.startswith(b"HTTP/1.1 100 ")
    assert b"HTTP/1.1 200 OK" in answer


def test_a_client_that_leaves_in_the_middle_of_its_body_is_nobodys_error(
    service: ServiceProcess, client: httpx.Client
) -> None:
    for _ in range(5):
        with connection(service) as each:
            each.sendall(head("POST", "/predict", "Content-Length: 1000") + b'{"inputs"')
    assert client.post("/predict", content=BODY).status_code == 200
    assert errors(client) == 0
    assert "Traceback" not in service.log


def test_requests_may_be_sent_before_the_answers_come(service: ServiceProcess) -> None:
    first = head("GET", "/livez").replace(b"Connection: close\r\n", b"")
    answer = conversation(service, first + first + head("GET", "/health"))
    assert answer.count(b"HTTP/1.1 200 OK") == 3


def test_an_old_client_is_answered_and_its_connection_closed(service: ServiceProcess) -> None:
    answer = conversation(service, b"GET /livez HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /%ff%fe HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"GET http://x/livez HTTP/1.1",
        b"GET * HTTP/1.1",
        b"BREW /predict HTTP/1.1",
        b"nonsense",
        b"\x16\x03\x01\x02\x00\x01",
    ],
)
def test_odd_requests_are_answered_without_a_5xx(
    service: ServiceProcess, request_line: bytes
) -> None:
    answer = conversation(service, request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4"))


def test_an_upgrade_is_not_taken_up(service: ServiceProcess) -> None:
    request = head("GET", "/livez", "Upgrade: websocket", "Sec-WebSocket-Key: x")
    upgrade = request.replace(b"Connection: close", b"Connection: Upgrade, close")
    assert conversation(service, upgrade).startswith(b"HTTP/1.1 200 OK")


def check(response: httpx.Response) -> None:
    """What holds for every answer, whatever was asked."""
    assert response.status_code < 500, response.text
    assert response.headers["x-model-version"] == "v1"
    assert response.headers["x-model-digest"].startswith("sha256:")
    assert response.headers["x-request-id"]
    if response.status_code >= 400:
        document = response.json()
        assert document.keys() == {"error"}
        assert document["error"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)
numbers = st.lists(st.lists(st.floats(width=32) | st.integers(), min_size=4, max_size=4))
bodies = (
    st.binary(max_size=200)
    | json_values.map(json.dumps).map(str.encode)
    | (json_values | numbers).map(lambda value: json.dumps({"inputs": value}).encode())
    | (json_values | numbers).map(lambda value: json.dumps({"inputs": {"x": value}}).encode())
)


@settings(max_examples=300)
@given(body=bodies)
def test_no_body_makes_a_prediction_fail_on_our_side(client: httpx.Client, body: bytes) -> None:
    response = client.post("/predict", content=body)
    check(response)
    assert response.status_code in {200, 400}


@settings(max_examples=100)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]),
    path=st.sampled_from(["predict", "health", "livez", "metrics", "openapi.json", "docs"])
    | st.text(max_size=10),
    query=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
def test_no_path_or_query_makes_a_request_fail_on_our_side(
    client: httpx.Client, method: str, path: str, query: dict[str, str]
) -> None:
    try:
        url = client.base_url.copy_with(path=f"/{path}", params=query)
    except (httpx.InvalidURL, UnicodeEncodeError):
        return
    response = client.request(method, url)
    if path == "health" and query.keys() & {"version", "digest", "generation"}:
        assert response.status_code in {200, 405, 503}
    else:
        check(response)


def test_nothing_of_all_this_counted_as_a_failure(client: httpx.Client) -> None:
    assert errors(client) == 0


def test_what_is_answered_is_json_that_any_parser_reads(client: httpx.Client) -> None:
    response = client.post("/predict", json={"inputs": [[3e38, -3e38, 0, 1e-45]]})
    answer: Any = json.loads(response.text, parse_constant=pytest.fail)
    assert answer["outputs"]["y"][0][:2] == [None, None]
