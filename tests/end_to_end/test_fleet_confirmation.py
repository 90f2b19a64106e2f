"""Three real services on one store, and an operator who waits for them."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import models
from tests.cli.workspace import MODEL, Workspace, until
from tests.servers import service_process
from tests.servers.service_process import ServiceProcess

NAMES = ("one", "two", "three")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A folder whose store holds v1, which doubles and is active, and v2, which triples."""
    workspace = Workspace(tmp_path / "folder")
    for version, factor in (("v1", 2.0), ("v2", 3.0)):
        path = models.affine(tmp_path / version / "model.onnx", factor)
        workspace.registry.publish(MODEL, version, path)
    workspace.registry.activate(MODEL, "v1")
    return workspace


class Fleet:
    """Services, each with a cache of its own."""

    def __init__(self, workspace: Workspace, root: Path) -> None:
        self._workspace = workspace
        self._root = root
        self.services: dict[str, ServiceProcess] = {}

    @contextmanager
    def of(self, *names: str, **variables: str) -> Iterator[None]:
        """Run services of these names until the block ends; each serves, and has said so."""
        with ExitStack() as stack:
            for name in names:
                self.services[name] = stack.enter_context(
                    service_process.running(
                        self._root / name,
                        self._workspace.store.as_uri(),
                        MODEL,
                        POINTSMAN_INSTANCE=name,
                        **variables,
                    )
                )
            until(lambda: self.reporting() >= set(names), f"{names} report")
            yield

    def reporting(self) -> set[str]:
        """Which instances say that they serve something."""
        instances = self._workspace.json("status")["instances"]
        return {each["instance"] for each in instances if each.get("serving")}

    def answers(self) -> dict[str, float]:
        """What every service makes of a one."""
        return {
            name: service.predict([[1.0] * 4]).json()["outputs"]["y"][0][0]
            for name, service in self.services.items()
        }


@pytest.fixture
def fleet(workspace: Workspace, tmp_path: Path) -> Fleet:
    return Fleet(workspace, tmp_path / "fleet")


def states(document: Any) -> dict[str, str]:
    return {each["id"]: each["state"] for each in document["instances"]}


def test_when_the_command_returns_every_instance_serves(workspace: Workspace, fleet: Fleet) -> None:
    with fleet.of(*NAMES):
        document = workspace.json("activate", "v2")
        assert fleet.answers() == dict.fromkeys(NAMES, 3.0)
        assert states(document) == dict.fromkeys(NAMES, "serving")
        assert document["failed_requests"] == 0

        result = workspace.run("rollback")
        assert fleet.answers() == dict.fromkeys(NAMES, 2.0)
        assert "✓ 3/3 on v1 in " in result.err


def damage(workspace: Workspace, version: str) -> None:
    """Change a byte of the version's model in the store, past everything that checks."""
    [file] = workspace.registry.version(MODEL, version).manifest.files
    path = workspace.store / "models" / MODEL / "blobs" / file.sha256
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_one_instance_that_cannot_serve_a_version_brings_all_back(
    workspace: Workspace, fleet: Fleet
) -> None:
    with fleet.of("one", "two"):
        workspace.run("activate", "v2")
        workspace.run("rollback")
        # Two have it on their disks; who comes later gets what the store has now.
        damage(workspace, "v2")
        with fleet.of("three"):
            document = workspace.json("activate", "v2", code=3)
            assert states(document)["three"] == "refused"
            assert document["error"].startswith("three refused v2: models/digits/blobs/")
            assert "is damaged" in document["error"]
            back = document["put_back"]
            assert (back["to"], states(back)) == ("v1", dict.fromkeys(NAMES, "serving"))
            assert fleet.answers() == dict.fromkeys(NAMES, 2.0)
    assert workspace.registry.channel(MODEL, "production").stable.version == "v1"


def test_an_instance_that_was_killed_is_named_and_not_waited_for(
    workspace: Workspace, fleet: Fleet
) -> None:
    with fleet.of("one", "two", POINTSMAN_HEARTBEAT_SECONDS="0.3"):
        fleet.services["two"].kill()
        result = workspace.run("activate", "v2")
        assert "! two stopped reporting a while ago and was not waited for" in result.err
        assert "✓ 1/1 on v2 in " in result.err
        assert workspace.json("activate", "v2")["stale"] == ["two"]


def test_an_instance_that_hangs_is_waited_for_as_long_as_one_wants(
    workspace: Workspace, fleet: Fleet
) -> None:
    with fleet.of("one", "two", POINTSMAN_HEARTBEAT_SECONDS="60"):
        fleet.services["two"].signal(signal.SIGSTOP)
        document = workspace.json("activate", "v2", "--timeout", "2", code=4)
        assert states(document) == {"one": "serving", "two": "waiting"}
        assert "not confirmed within 2.0 s by two" in document["error"]

        fleet.services["two"].signal(signal.SIGCONT)
        assert states(workspace.json("activate", "v2")) == {"one": "serving", "two": "serving"}
