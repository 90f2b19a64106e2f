"""What tests of the registry share: a registry, a model for it, and stores of every kind."""

from pathlib import Path

import pytest

from pointsman.registry import Registry
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from tests import models
from tests.fakes.memory_store import MemoryStore


@pytest.fixture
def registry() -> Registry:
    """A registry in memory, and nothing in it."""
    return Registry(MemoryStore())


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A model that nothing is wrong with."""
    return models.affine(tmp_path / "model.onnx")


@pytest.fixture(params=["file", "s3", "moto", "gcs", "memory"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    """An empty store of every kind: a test that asks for it runs with all."""
    if request.param == "memory":
        return MemoryStore()
    return open_store(request.getfixturevalue(f"{request.param}_url"))
