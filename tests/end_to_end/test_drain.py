"""Ending the service: what is in flight is answered, and nobody new is lured in."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pointsman import fleet
from tests import models
from tests.servers import service_process
from tests.servers.service_process import ServiceProcess
from tests.service.shelf import Shelf

FOR_EVER = [[10_000]]
LONG = 60
"""Rounds of six seconds, more or less; a port is closed in a fraction of one."""

Answer = httpx.Response | httpx.TransportError


@pytest.fixture
def slow_model(tmp_path: Path, shelf: Shelf) -> None:
    """`v1` takes as long as its input says, and doubles it."""
    shelf.activate(shelf.put("v1", models.slow(tmp_path / "slow.onnx", 2)))


@contextmanager
def asked(service: ServiceProcess, inputs: list[list[int]]) -> Iterator[list[Answer]]:
    """Ask in the background; yields when the request is provably in flight, ends when it is not."""
    answers: list[Answer] = []

    def ask() -> None:
        try:
            answers.append(service.predict(inputs, timeout=240))
        except httpx.TransportError as error:
            answers.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    service.until(lambda: service.in_flight == 1, "the request is in flight")
    try:
        yield answers
    finally:
        asking.join()


def until_closed(service: ServiceProcess) -> None:
    def closed() -> bool:
        try:
            service.health()
        except httpx.ConnectError:
            return True
        except httpx.TransportError:
            return False
        return False

    service.until(closed, "the port is closed")


@pytest.mark.usefixtures("slow_model")
def test_what_arrives_while_it_drains_is_answered_and_told_to_go_elsewhere(
    tmp_path: Path, file_url: str
) -> None:
    """It drains for an hour: who looks at that needs no luck."""
    variables = {"POINTSMAN_DRAIN_GRACE": "3600"}
    with service_process.running(tmp_path / "service", file_url, **variables) as service:
        service.until_healthy(version="v1")
        with asked(service, FOR_EVER):
            service.signal(signal.SIGTERM)
            service.until(lambda: service.health()[1]["status"] == "draining", "it drains")
            assert service.health()[0] == 503
            assert service.in_flight == 1
            late = httpx.get(f"{service.url}/livez", timeout=120)
            assert (late.status_code, late.headers["connection"]) == (200, "close")
            service.kill()


@pytest.mark.usefixtures("slow_model")
def test_a_request_in_flight_is_answered_before_the_process_ends(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    variables = {"POINTSMAN_DRAIN_TIMEOUT": "240"}
    with service_process.running(tmp_path / "service", file_url, **variables) as service:
        service.until_healthy(version="v1")
        assert len(fleet.instances(shelf.store, "m", "production")) == 1
        with asked(service, [[LONG]]) as answers:
            service.signal(signal.SIGTERM)
            until_closed(service)
            assert answers == [], "it still computes when the port is closed"
        answer = answers[0]
        assert isinstance(answer, httpx.Response)
        assert answer.json()["outputs"] == {"y": [[2 * LONG]]}
        assert service.wait() == 0
        assert fleet.instances(shelf.store, "m", "production") == []
        assert "Traceback" not in service.log


@pytest.mark.usefixtures("slow_model")
def test_a_second_signal_ends_at_once(tmp_path: Path, file_url: str) -> None:
    with service_process.running(tmp_path / "service", file_url) as service:
        service.until_healthy(version="v1")
        with asked(service, FOR_EVER) as answers:
            service.signal(signal.SIGTERM)
            service.until(lambda: "draining" in service.log, "the first signal is heard")
            service.signal(signal.SIGTERM)
            assert service.wait() == 1
        assert not isinstance(answers[0], httpx.Response) or answers[0].status_code == 503


@pytest.mark.usefixtures("slow_model")
def test_a_request_that_outlasts_the_drain_timeout_is_told_so(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    with service_process.running(
        tmp_path / "service", file_url, POINTSMAN_DRAIN_TIMEOUT="1"
    ) as service:
        service.until_healthy(version="v1")
        with asked(service, FOR_EVER) as answers:
            service.signal(signal.SIGTERM)
            assert service.wait() == 1
        answer = answers[0]
        assert isinstance(answer, httpx.Response)
        assert answer.status_code == 503
        assert answer.json() == {"error": "the service ended before the answer was ready"}
        assert fleet.instances(shelf.store, "m", "production") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_connection_does_not_hold_the_end_up(
    tmp_path: Path, file_url: str, shelf: Shelf, number: signal.Signals
) -> None:
    shelf.activate(shelf.affine("v1", 2.0))
    with service_process.running(tmp_path / "service", file_url) as service:
        service.until_healthy(version="v1")
        with httpx.Client(base_url=service.url, timeout=120) as client:
            assert client.get("/livez").status_code == 200
            service.signal(number)
            assert service.wait() == 0


def test_a_service_that_never_got_a_model_ends_in_good_order_too(
    tmp_path: Path, file_url: str
) -> None:
    with service_process.running(tmp_path / "service", file_url) as service:
        assert service.health()[0] == 503
        service.signal(signal.SIGTERM)
        assert service.wait() == 0
        assert "Traceback" not in service.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_told_to_end_while_it_starts_just_ends(
    tmp_path: Path, file_url: str, number: signal.Signals
) -> None:
    variables = {"PYTHONPROFILEIMPORTTIME": "1"}
    with service_process.prepared(tmp_path / "service", file_url, **variables) as service:
        service.launch()
        service.until(lambda: "numpy" in service.log, "it imports")
        service.signal(number)
        assert service.wait() == 0
        assert "Traceback" not in service.log
