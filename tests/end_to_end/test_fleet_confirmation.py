"""What an operator is told when several real instances follow one channel."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import pointsman
from tests import models
from tests.cli.workspace import Workspace
from tests.servers import service_process
from tests.servers.service_process import ServiceProcess

NAMES = ("one", "two", "three")


@pytest.fixture
def operator(tmp_path: Path) -> Workspace:
    """Somebody with two published versions, of which v1 is active."""
    workspace = Workspace(tmp_path / "operator")
    workspace.file.write_text('model = "m"\n')
    for version, factor in (("v1", 2.0), ("v2", 3.0)):
        model = models.affine(tmp_path / f"{version}.onnx", factor)
        workspace.registry.publish("m", version, model)
    workspace.registry.activate("m", "v1")
    return workspace


@pytest.fixture
def fleet(operator: Workspace, tmp_path: Path) -> Iterator[dict[str, ServiceProcess]]:
    """Three instances that serve v1."""
    with ExitStack() as stack:
        services = {
            name: stack.enter_context(
                service_process.running(
                    tmp_path / name,
                    operator.store.as_uri(),
                    POINTSMAN_INSTANCE=name,
                )
            )
            for name in NAMES
        }
        for service in services.values():
            service.until_healthy(version="v1")
        yield services


def test_activate_returns_when_every_instance_serves(
    operator: Workspace, fleet: dict[str, ServiceProcess]
) -> None:
    document = operator.json("activate", "v2")
    assert {each["id"]: each["state"] for each in document["instances"]} == dict.fromkeys(
        NAMES, "serving"
    )
    assert document["failed_requests"] == 0
    assert all(service.health(version="v2")[0] == 200 for service in fleet.values())


def test_a_refusal_anywhere_puts_the_whole_fleet_back(
    operator: Workspace, fleet: dict[str, ServiceProcess]
) -> None:
    _rot(operator, "v2")
    document = operator.json("activate", "v2", code=3)
    refused = [each for each in document["instances"] if each["state"] == "refused"]
    assert refused
    assert "damaged" in refused[0]["reason"]
    assert document["put_back"]["to"] == "v1"
    assert [change.version for change in operator.registry.channel("m", "production").history] == [
        "v1",
        "v2",
        "v1",
    ]
    generation = str(document["put_back"]["generation"])
    for service in fleet.values():
        service.until_healthy(version="v1", generation=generation)


def test_with_keep_a_refused_version_stays_named_and_the_last_good_one_serves(
    operator: Workspace, fleet: dict[str, ServiceProcess]
) -> None:
    _rot(operator, "v2")
    document = operator.json("activate", "v2", "--keep", code=3)
    assert document["put_back"] is None
    assert operator.registry.channel("m", "production").stable.version == "v2"
    for service in fleet.values():
        assert service.health(version="v1")[0] == 200
        assert service.predict([[1.0, 1.0, 1.0, 1.0]]).json()["outputs"]["y"] == [[2.0] * 4]


def test_an_instance_that_was_killed_is_named_and_not_waited_for_once_it_is_stale(
    operator: Workspace, fleet: dict[str, ServiceProcess]
) -> None:
    fleet["two"].kill()
    told = operator.run("activate", "v2")
    assert "2/2 on v2" in told.err
    assert "two stopped reporting a while ago and was not waited for" in told.err


def test_an_instance_that_hangs_leaves_the_change_unconfirmed(
    operator: Workspace, tmp_path: Path
) -> None:
    with service_process.running(
        tmp_path / "asleep",
        operator.store.as_uri(),
        POINTSMAN_INSTANCE="asleep",
        POINTSMAN_POLL_SECONDS="3600",
        POINTSMAN_HEARTBEAT_SECONDS="600",
    ) as service:
        service.until_healthy(version="v1")
        document = operator.json("activate", "v2", "--timeout", "1", code=4)
    assert [each["state"] for each in document["instances"]] == ["waiting"]
    assert "asleep" in document["error"]
    assert pointsman.open(operator.store.as_uri()).channel("m", "production").stable.version == "v2"


def _rot(operator: Workspace, version: str) -> None:
    """Flip a bit of the version's model in the store."""
    manifest = operator.registry.version("m", version).manifest
    blob = operator.store / "models" / "m" / "blobs" / manifest.files[0].sha256
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
