"""What the end-to-end tests share: versions in a directory, a fleet, and a container engine."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import models
from tests.cli.workspace import MODEL, Workspace
from tests.end_to_end.fleet import Fleet
from tests.servers import container_engine, image_registry
from tests.servers.container_engine import ContainerEngine
from tests.servers.image_registry import ImageRegistry
from tests.service.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path, file_url: str) -> Shelf:
    """An empty `file://` store, and a quick way to put versions into it."""
    return Shelf.at(file_url, tmp_path / "models")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A folder whose store holds v1, which doubles and is active, and v2, which triples."""
    workspace = Workspace(tmp_path / "folder")
    for version, factor in (("v1", 2.0), ("v2", 3.0)):
        path = models.affine(tmp_path / version / "model.onnx", factor)
        workspace.registry.publish(MODEL, version, path)
    workspace.registry.activate(MODEL, "v1")
    return workspace


@pytest.fixture
def fleet(workspace: Workspace, tmp_path: Path) -> Fleet:
    """Services of that store, which are yet to be started."""
    return Fleet(workspace, tmp_path / "fleet")


@pytest.fixture(scope="session")
def container_engine_once(_no_proxy: None) -> Iterator[ContainerEngine]:
    """An engine for the whole session; where none runs, its tests are skipped, but not in CI."""
    try:
        with container_engine.running() as engine:
            yield engine
    except container_engine.CannotRun as error:
        _unavailable("a container engine", error)


@pytest.fixture
def engine(
    container_engine_once: ContainerEngine, monkeypatch: pytest.MonkeyPatch
) -> ContainerEngine:
    """The engine, which commands find by the environment."""
    for name, value in container_engine_once.environment.items():
        monkeypatch.setenv(name, value)
    return container_engine_once


@pytest.fixture(scope="session")
def image_registry_once(_no_proxy: None) -> Iterator[ImageRegistry]:
    """A registry of images for the whole session."""
    try:
        with image_registry.running() as registry:
            yield registry
    except image_registry.CannotRun as error:
        _unavailable("a registry of images", error)


def _unavailable(what: str, error: Exception) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"CI needs {what}: {error}")
    print(f"skipping the tests that need {what}: {error}", file=sys.__stderr__)
    pytest.skip(str(error))
