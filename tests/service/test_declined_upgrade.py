"""Clients that wish for another protocol, as Java's does at first: they get HTTP/1.1."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import service_process
from tests.servers.raw_http import conversation, head, post
from tests.servers.service_process import ServiceProcess
from tests.service.shelf import Shelf

KEY = "sesame-open-yourself"
WITH_KEY = f"X-API-Key: {KEY}"
H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB")
LAST = head("GET", "/livez")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A process that serves `v1`, which doubles, to those who have the key."""
    directory: Path = tmp_path_factory.mktemp("upgrade")
    url = (directory / "store").as_uri()
    shelf = Shelf.at(url, directory / "models")
    shelf.activate(shelf.affine("v1", 2.0))
    with service_process.running(directory / "service", url, POINTSMAN_API_KEYS=KEY) as process:
        process.until_healthy(version="v1")
        yield process
        assert "Traceback" not in process.log


def body(number: float) -> bytes:
    """A row of four equal numbers."""
    return json.dumps({"inputs": [[number] * 4]}).encode()


def statuses(received: bytes) -> list[int]:
    """Return the statuses of all answers, in their order."""
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_a_prediction_with_such_a_wish_is_answered(service: ServiceProcess, protocol: str) -> None:
    wish = ("Connection: keep-alive, Upgrade", f"Upgrade: {protocol}")
    received = conversation(service, post("/predict", body(1), WITH_KEY, *wish), LAST)
    assert statuses(received) == [200, 200]
    assert b'"outputs":{"y":[[2.0,2.0,2.0,2.0]]}' in received


@pytest.mark.parametrize("size", [7, 100, 100_000])
def test_the_wish_may_stand_anywhere_and_what_follows_is_a_request_of_its_own(
    service: ServiceProcess, size: int
) -> None:
    requests = b"".join(
        [
            post("/predict", body(1), WITH_KEY),
            post("/predict", body(2), WITH_KEY, *H2C),
            head("GET", "/livez", *H2C, last=False),
            post("/predict", b"nonsense", WITH_KEY, *H2C),
            post("/nowhere", body(3), *H2C),
            post("/predict", body(4), WITH_KEY, *H2C),
            LAST,
        ]
    )
    pieces = [requests[begin : begin + size] for begin in range(0, len(requests), size)]
    received = conversation(service, *pieces)
    assert statuses(received) == [200, 200, 200, 400, 404, 200, 200]
    found = [received.index(b"[[%.1f," % (2 * number)) for number in (1, 2, 4)]
    assert found == sorted(found)


def test_a_chunked_body_is_read_behind_the_wish(service: ServiceProcess) -> None:
    first = head("POST", "/predict", WITH_KEY, *H2C, "Transfer-Encoding: chunked", last=False)
    whole = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body(1)), body(1))
    assert statuses(conversation(service, first + whole + LAST)) == [200, 200]


def test_the_wish_gets_round_no_rule(service: ServiceProcess) -> None:
    assert statuses(conversation(service, post("/predict", body(1), *H2C, last=True))) == [401]
    unending = head("POST", "/predict", *H2C, "Content-Length: 1e3", last=False)
    assert statuses(conversation(service, unending)) == [400]


def test_thousands_of_wishes_at_once_are_each_declined(service: ServiceProcess) -> None:
    wishes = head("GET", "/nowhere", *H2C, last=False) * 2000
    assert statuses(conversation(service, wishes, LAST)) == [404] * 2000 + [200]
