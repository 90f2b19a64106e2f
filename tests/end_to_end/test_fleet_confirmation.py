"""Three real services on one store, and an operator who waits for them."""

import signal
from typing import Any

from tests.cli.workspace import MODEL, Workspace
from tests.end_to_end.fleet import NAMES, Fleet


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
    with fleet.of("one"), fleet.of("two", POINTSMAN_HEARTBEAT_SECONDS="0.3"):
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
        document = workspace.json("activate", "v2", "--timeout", "9", code=4)
        assert states(document) == {"one": "serving", "two": "waiting"}
        assert "not confirmed within 9.0 s by two" in document["error"]

        fleet.services["two"].signal(signal.SIGCONT)
        assert states(workspace.json("activate", "v2")) == {"one": "serving", "two": "serving"}
