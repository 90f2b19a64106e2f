"""What the end-to-end tests share: a shelf of versions in a directory, and a fleet."""

from pathlib import Path

import pytest

from tests import models
from tests.cli.workspace import MODEL, Workspace
from tests.end_to_end.fleet import Fleet
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
