"""What keeps a container from being started here, found out before anything runs."""

import os
from pathlib import Path

import pytest

from tests.cli.workspace import MODEL, Workspace
from tests.fakes import container_engine
from tests.fakes.container_engine import ContainerEngine


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ContainerEngine:
    """A container engine on PATH."""
    made = container_engine.install(tmp_path / "engine")
    monkeypatch.setenv("PATH", f"{made.programs}{os.pathsep}{os.environ['PATH']}")
    return made


@pytest.fixture
def active(listed: Workspace) -> Workspace:
    """v1 is active; any port will do."""
    listed.file.write_text(f'model = "{MODEL}"\n[local]\nport = 0\n')
    listed.registry.activate(MODEL, "v1")
    return listed


def test_an_image_for_other_processors_is_refused(
    active: Workspace, engine: ContainerEngine
) -> None:
    engine.knobs(architecture="arm64")
    result = active.run("deploy", "--docker", "--image", "theirs:1", code=1)
    assert "the image theirs:1 is for linux/arm64, and the machines are linux/amd64" in result.err
    assert "`pointsman build`" in result.err


def test_an_image_that_no_registry_gives_is_named(
    active: Workspace, engine: ContainerEngine
) -> None:
    engine.knobs(refuse={"pull": "manifest unknown"})
    result = active.run("deploy", "--docker", "--image", "ghcr.io/me/theirs:1", code=1)
    assert "ghcr.io does not give ghcr.io/me/theirs:1" in result.err
    assert "`docker login ghcr.io`" in result.err


def test_why_a_container_does_not_start_is_said_and_not_where_to_read_on(
    active: Workspace, engine: ContainerEngine
) -> None:
    said = "docker: Error response from daemon: No command specified\n\nRun 'docker run --help' …"
    engine.knobs(refuse={"run": said})
    document = active.json("deploy", "--docker", "--image", "theirs:1", code=10)
    assert document["error"].endswith("does not serve: docker run: No command specified")


def test_without_an_engine_nothing_is_begun(active: Workspace, engine: ContainerEngine) -> None:
    engine.knobs(down=True)
    result = active.run("deploy", "--docker", code=1)
    assert "its engine is not running" in result.err
    assert not (active.folder / ".pointsman" / "local").exists()


def test_a_store_on_this_machine_is_out_of_a_container_s_reach(
    active: Workspace, engine: ContainerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000")
    document = active.json("deploy", "--docker", "--store", "s3://models", code=1)
    assert "from a container to the container itself" in document["error"]
    assert 'network = "host" under [local]' in document["hint"]


def test_an_image_is_nothing_for_a_process(active: Workspace) -> None:
    result = active.run("deploy", "--image", "theirs:1", code=1)
    assert "a process has no image" in result.err
    assert "--docker" in result.err


def test_a_plan_says_what_would_be_started(active: Workspace, engine: ContainerEngine) -> None:
    told = active.run("deploy", "--docker", "--dry-run").out
    assert f"start {MODEL}/production as a container on 127.0.0.1" in told
    assert "image: pointsman-service:" in told
    assert all(call["arguments"][0] in {"version", "buildx", "image"} for call in engine.calls)
