"""Switching versions while clients keep asking: nobody notices, except by the numbers."""

import threading
from pathlib import Path

import httpx

from pointsman import fleet
from pointsman.heartbeat import Heartbeat
from tests import models
from tests.end_to_end.clients import Clients
from tests.servers import service_process
from tests.servers.service_process import ServiceProcess
from tests.service.shelf import Shelf

SWITCHES = 12
BETWEEN = 15


def test_switching_back_and_forth_under_load_loses_no_request_and_mixes_no_versions(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    pointers = [shelf.affine("v1", 2.0, golden_factor=2.0), shelf.affine("v2", 3.0)]
    shelf.activate(pointers[0])
    with service_process.running(tmp_path / "service", file_url) as service:
        service.until_healthy(version="v1")
        with Clients(service, {"v1": 2.0, "v2": 3.0}) as clients:
            for turn in range(1, SWITCHES + 1):
                channel = shelf.activate(pointers[turn % 2])
                service.until_healthy(generation=str(channel.generation))
                clients.until_answered(BETWEEN)
        assert clients.failures == []
        assert clients.answers.keys() == {"v1", "v2"}
        assert clients.answers.total() >= SWITCHES * BETWEEN
        assert "Traceback" not in service.log


def test_going_through_many_versions_under_load_loads_each_and_loses_no_request(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    factors = {f"v{number}": float(number) for number in range(1, 7)}
    pointers = [shelf.affine(version, factor) for version, factor in factors.items()]
    shelf.activate(pointers[0])
    with service_process.running(tmp_path / "service", file_url) as service:
        service.until_healthy(version="v1")
        with Clients(service, factors) as clients:
            clients.until_answered(BETWEEN)
            for pointer in pointers[1:]:
                shelf.activate(pointer)
                service.until_healthy(version=pointer.version)
                clients.until_answered(BETWEEN)
        assert clients.failures == []
        assert clients.answers.keys() >= {"v1", "v6"}


def test_a_request_in_flight_over_two_switches_is_answered_by_the_version_it_began_with(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    pointers = [
        shelf.put(f"v{factor}", models.slow(tmp_path / f"{factor}.onnx", factor))
        for factor in (1, 2, 3)
    ]
    shelf.activate(pointers[0])
    with service_process.running(tmp_path / "service", file_url) as service:
        service.until_healthy(version="v1")
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(service.predict([[60]])))
        asking.start()
        service.until(lambda: service.in_flight == 1, "the slow request is in flight")
        for pointer in pointers[1:]:
            shelf.activate(pointer)
            service.until_healthy(version=pointer.version)
        assert answers == [], "the switches did not wait for it"
        asking.join()
        assert answers[0].json()["outputs"] == {"y": [[60]]}
        assert answers[0].headers["x-model-version"] == "v1"
        service.until(lambda: "unloaded v1" in service.log, "the drained version is unloaded")


def test_broken_versions_never_answer_and_the_fleet_hears_why(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    damaged = shelf.affine("damaged", 7.0)
    shelf.damage(shelf.directory / "damaged" / "model.onnx")
    never_loads = models.never_loads(tmp_path / "never.onnx")
    broken = {
        "does not reproduce its golden set": shelf.affine("wrong", 5.0, golden_factor=6.0),
        "is damaged": damaged,
        "does not load": shelf.put("unloadable", never_loads),
    }
    shelf.activate(shelf.affine("v1", 2.0))
    with service_process.running(tmp_path / "service", file_url) as service:
        service.until_healthy(version="v1")
        with Clients(service, {"v1": 2.0}) as clients:
            for reason, pointer in broken.items():
                channel = shelf.activate(pointer)
                beat = observing(service, shelf, channel.generation)
                assert reason in beat.refused
                assert beat.serving == "v1"
                clients.until_answered(BETWEEN)
                status, body = service.health()
                assert (status, body["status"], body["version"]) == (200, "degraded", "v1")
                assert reason in body["reason"]
        assert clients.failures == []
        shelf.activate(shelf.affine("v2", 3.0))
        assert service.until_healthy(version="v2")["status"] == "ok"


def observing(service: ServiceProcess, shelf: Shelf, generation: int) -> Heartbeat:
    """Wait for the heartbeat that has dealt with a generation."""

    def heartbeat() -> Heartbeat | None:
        found = fleet.instances(shelf.store, "m", "production")
        return found[0].heartbeat if found else None

    def observed() -> bool:
        beat = heartbeat()
        return beat is not None and beat.observed_generation == generation

    service.until(observed, f"generation {generation} is dealt with")
    beat = heartbeat()
    assert beat is not None
    return beat
