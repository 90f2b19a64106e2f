"""Killing the service in the middle of a switch, and starting it again on the same disk."""

from pathlib import Path

import numpy as np
import pytest

from pointsman import golden
from tests import models
from tests.servers import service_process
from tests.servers.service_process import ServiceProcess
from tests.service.shelf import Shelf


def test_a_service_killed_while_it_warms_a_version_up_serves_it_after_the_restart(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    rounds = np.array([[4]], np.int64)
    examples = tmp_path / "golden.npz"
    golden.save(examples, {"rounds": rounds}, {"y": rounds * 3})
    v1 = shelf.put("v1", models.slow(tmp_path / "v1.onnx", 2))
    v2 = shelf.put("v2", models.slow(tmp_path / "v2.onnx", 3), examples)
    shelf.activate(v1)
    with service_process.running(tmp_path / "service", file_url) as service:
        service.until_healthy(version="v1")
        shelf.activate(v2)
        service.until(
            lambda: service.health()[1].get("loading", {}).get("step") == "warming up",
            "v2 is warmed up",
        )
        assert service.health()[1]["version"] == "v1"
        service.kill()
        service.start()
        service.until_healthy(version="v2", generation="2")
        assert service.predict([[0]]).headers["x-model-version"] == "v2"


@pytest.mark.parametrize("size", [0, 9 << 20], ids=["small", "large"])
def test_a_service_killed_when_it_begins_to_load_serves_the_channels_version_after_the_restart(
    tmp_path: Path, file_url: str, shelf: Shelf, size: int
) -> None:
    versions = {
        f"v{factor}": shelf.put(
            f"v{factor}", models.heavy(tmp_path / f"{factor}.onnx", size, factor)
        )
        for factor in (1, 2, 3)
    }
    shelf.activate(versions["v1"])
    with service_process.running(tmp_path / "service", file_url) as service:
        service.until_healthy(version="v1")
        for factor in (2, 3):
            shelf.activate(versions[f"v{factor}"])
            until_loading(service, f"v{factor}")
            service.kill()
            service.start()
            service.until_healthy(version=f"v{factor}")
            answer = service.predict([[1, 2, 3, 4]]).json()
            assert answer["outputs"]["y"] == [[factor, 2 * factor, 3 * factor, 4 * factor]]


def until_loading(service: ServiceProcess, version: str) -> None:
    service.until(lambda: f"loading {version} " in service.log, f"{version} begins to load")


def test_a_killed_service_comes_back_from_its_cache_though_the_store_is_gone(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    shelf.activate(shelf.affine("v1", 2.0))
    with service_process.running(tmp_path / "service", file_url) as service:
        service.until_healthy(version="v1")
        remembered = tmp_path / "service" / "cache" / "channels" / "m" / "production.json"
        service.until(remembered.exists, "what serves is remembered")
        service.kill()
        (tmp_path / "store").rename(tmp_path / "away")
        service.start()
        body = service.until_healthy(version="v1")
        assert (body["status"], body["source"]) == ("degraded", "cache")
        assert service.predict([[1, 2, 3, 4]]).json()["outputs"] == {"y": [[2, 4, 6, 8]]}
