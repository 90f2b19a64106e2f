"""What the service's tests share: the event loop they run on, and a shelf of versions."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pointsman.manifest import Version
from pointsman.registry import Registry
from tests.service.in_process import InProcess, Surroundings, serving
from tests.service.managed import Managed, at_work
from tests.service.shelf import Shelf


@pytest.fixture
def anyio_backend() -> str:
    """The service is made for asyncio."""
    return "asyncio"


@pytest.fixture
def shelf(tmp_path: Path, file_url: str) -> Shelf:
    """An empty `file://` store, and a way to put versions into it."""
    return Shelf.at(file_url, tmp_path / "models")


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    """Stores in memory that obey, and nothing in them."""
    return Surroundings(tmp_path)


@pytest.fixture
async def served(surroundings: Surroundings) -> AsyncIterator[InProcess]:
    """A service in this process that serves `v1`, which doubles."""
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
    async with serving(surroundings) as service:
        await service.until_serving("v1")
        yield service


@pytest.fixture
async def managed(tmp_path: Path) -> AsyncIterator[Managed]:
    """A manager at work, with nothing aspired yet."""
    async with at_work(Managed(tmp_path)) as each:
        yield each


@pytest.fixture
def version(shelf: Shelf) -> Version:
    """Some version's manifest."""
    return Registry(shelf.store).resolve("m", shelf.affine("v1", 2.0))
