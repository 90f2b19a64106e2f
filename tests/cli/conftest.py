"""What tests of the command share: a folder to type in, and versions that were published once."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import pointsman
from tests import models
from tests.cli.workspace import MODEL, Workspace
from tests.registry.versions import store_version


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A folder whose store is empty."""
    return Workspace(tmp_path / "folder")


@pytest.fixture(scope="session")
def _listed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("listed") / "store"
    for version in ("v1", "v2", "v3"):
        store_version(pointsman.open(store.as_uri()).store, version)
    return store


@pytest.fixture
def listed(workspace: Workspace, _listed_once: Path) -> Workspace:
    """A folder whose store holds v1, v2 and v3: good for every command that loads no model."""
    shutil.copytree(_listed_once, workspace.store)
    return workspace


@dataclass(frozen=True, slots=True)
class Sources:
    """Models on disk, in a folder each: `v1` doubles, `v2` triples."""

    root: Path

    def model(self, version: str) -> Path:
        """The ONNX file."""
        return self.root / version / "model.onnx"

    def golden(self, version: str) -> Path:
        """Its golden set."""
        return self.root / version / "golden.npz"


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """Two models with their golden sets."""
    sources = Sources(tmp_path_factory.mktemp("sources"))
    for version, factor in (("v1", 2.0), ("v2", 3.0)):
        models.affine(sources.model(version), factor)
        models.affine_golden(sources.golden(version), factor)
    return sources


@pytest.fixture(scope="session")
def _published_once(sources: Sources, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("published") / "store"
    for version in ("v1", "v2"):
        pointsman.open(store.as_uri()).publish(MODEL, version, sources.root / version)
    return store


@pytest.fixture
def published(workspace: Workspace, _published_once: Path) -> Workspace:
    """A folder whose store holds v1 and v2, which can be served."""
    shutil.copytree(_published_once, workspace.store)
    return workspace


@pytest.fixture
def deployed(published: Workspace) -> Iterator[Workspace]:
    """A folder where v1 is active and served by a local deployment."""
    published.registry.activate(MODEL, "v1")
    published.run("deploy", "--port", "0")
    yield published
    published.run("destroy")
