"""Connections to a service that is at work: who waits, who leaves, and how it ends."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests import models
from tests.servers import service_process
from tests.servers.raw_http import connection, head, post, rest
from tests.servers.service_process import ServiceProcess
from tests.service.answers import answers
from tests.service.shelf import Shelf

LONG = 20
"""Rounds of two seconds or more: nobody misses that the model is at work, however slow he looks."""


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
