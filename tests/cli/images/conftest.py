"""A container engine on PATH, and a project that wants an image."""

import os
from pathlib import Path

import pytest

from tests.cli.workspace import Workspace
from tests.fakes import container_engine
from tests.fakes.container_engine import ContainerEngine

REPOSITORY = "registry.example.com/me/digits"


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ContainerEngine:
    """A `docker` without buildx, before everything else on PATH."""
    made = container_engine.install(tmp_path / "engine")
    monkeypatch.setenv("PATH", f"{made.programs}{os.pathsep}{os.environ['PATH']}")
    return made


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    """A folder whose image is pushed somewhere."""
    with workspace.file.open("a") as file:
        file.write(f'[image]\nrepository = "{REPOSITORY}"\n')
    return workspace
