"""A store that goes away and comes back: clients notice nothing."""

import signal
from contextlib import AbstractContextManager
from pathlib import Path

from tests.servers import service_process
from tests.servers.service_process import ServiceProcess
from tests.service.shelf import Shelf

ROW = [[1, 2, 3, 4]]


def running(tmp_path: Path, file_url: str) -> AbstractContextManager[ServiceProcess]:
    """Run a service whose heartbeats go elsewhere: writing them would make the store anew."""
    fleet = (tmp_path / "fleet").as_uri()
    return service_process.running(tmp_path / "service", file_url, POINTSMAN_FLEET=fleet)


def test_a_store_that_goes_away_is_not_missed_and_caught_up_with_when_it_is_back(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    store, away = tmp_path / "store", tmp_path / "away"
    shelf.activate(shelf.affine("v1", 2.0))
    with running(tmp_path, file_url) as service:
        service.until_healthy(version="v1")
        store.rename(away)
        service.until(lambda: service.health()[1]["status"] == "degraded", "it notices")
        status, body = service.health()
        assert (status, body["version"], body["source"]) == (200, "v1", "store")
        assert service.predict(ROW).json()["outputs"] == {"y": [[2, 4, 6, 8]]}
        elsewhere = Shelf.at(away.as_uri(), tmp_path / "models")
        elsewhere.activate(elsewhere.affine("v2", 3.0))
        away.rename(store)
        body = service.until_healthy(version="v2", generation="2")
        service.until(lambda: service.health()[1]["status"] == "ok", "all is well")
        assert service.predict(ROW).json()["outputs"] == {"y": [[3, 6, 9, 12]]}


def test_a_start_before_the_store_is_there_waits_for_it(tmp_path: Path, file_url: str) -> None:
    with running(tmp_path, file_url) as service:
        service.until(lambda: "reason" in service.health()[1], "it says what it waits for")
        status, body = service.health()
        assert (status, body["status"]) == (503, "loading")
        assert service.predict(ROW).status_code == 503
        shelf = Shelf.at(file_url, tmp_path / "models")
        shelf.activate(shelf.affine("v1", 2.0))
        assert service.until_healthy(version="v1")["status"] == "ok"


def test_a_start_without_the_store_and_with_a_warm_cache_serves_and_catches_up(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    store, away = tmp_path / "store", tmp_path / "away"
    v1, v2 = shelf.affine("v1", 2.0), shelf.affine("v2", 3.0)
    shelf.activate(v1)
    with running(tmp_path, file_url) as service:
        service.until_healthy(version="v1")
        service.signal(signal.SIGTERM)
        assert service.wait() == 0
        shelf.activate(v2)
        store.rename(away)
        service.start()
        body = service.until_healthy(version="v1")
        assert (body["status"], body["source"], body["generation"]) == ("degraded", "cache", 1)
        away.rename(store)
        body = service.until_healthy(version="v2")
        assert body["source"] == "store"
