"""The whole service inside the test's own process: no sockets, and stores that obey."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from numpy.typing import NDArray
from uvicorn.server import ServerState

from pointsman import fleet
from pointsman.heartbeat import Heartbeat
from pointsman_service import settings
from pointsman_service.api.front import Front
from pointsman_service.connection import Connection
from pointsman_service.service import Service
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays
from tests.fakes.memory_store import MemoryStore
from tests.service import fake_model
from tests.service.fake_model import Compute
from tests.service.obedient_store import ObedientStore
from tests.service.patience import until
from tests.service.shelf import Shelf

_QUICK = {"POINTSMAN_POLL_SECONDS": "0.01", "POINTSMAN_HEARTBEAT_SECONDS": "3600"}


class Surroundings:
    """What a service finds: a store of models, a store of heartbeats, a disk."""

    def __init__(self, directory: Path) -> None:
        self.models = ObedientStore(MemoryStore())
        self.fleet = ObedientStore(MemoryStore())
        self.shelf = Shelf(self.models, directory / "models")
        self.directory = directory

    def service(self, **variables: str) -> Service:
        """Wire a service, not started yet."""
        configured = settings.from_environment(
            {
                **_QUICK,
                "POINTSMAN_STORE": "models",
                "POINTSMAN_FLEET": "fleet",
                "POINTSMAN_MODEL": "m",
                "POINTSMAN_INSTANCE": "tested",
                "POINTSMAN_CACHE_DIR": str(self.directory / "cache"),
                **variables,
            }
        )
        return Service(configured, {"models": self.models, "fleet": self.fleet}.__getitem__)

    @contextmanager
    def hanging(self, servable: Servable) -> Iterator[None]:
        """Let a servable compute nothing until the block ends."""
        free, run = threading.Event(), servable.run

        def waits(feed: Mapping[str, NDArray[Any]]) -> Arrays:
            assert free.wait(150)
            return run(feed)

        servable.run = waits  # type: ignore[method-assign]
        try:
            yield
        finally:
            free.set()

    @property
    def heartbeat(self) -> Heartbeat | None:
        """The heartbeat in the fleet's store, past all obedience."""
        found = fleet.instances(self.fleet._inner, "m", "production")
        return found[0].heartbeat if found else None


@dataclass
class InProcess:
    """A service at work, and a client of it."""

    service: Service
    client: httpx.AsyncClient
    surroundings: Surroundings

    async def predict(self, inputs: Any, **options: Any) -> httpx.Response:
        """Ask for a prediction."""
        return await self.client.post("/predict", json={"inputs": inputs}, **options)

    async def health(self, **expected: str) -> tuple[int, dict[str, Any]]:
        """Ask for the health."""
        response = await self.client.get("/health", params=expected)
        return response.status_code, response.json()

    async def until_serving(self, version: str) -> None:
        """Wait until a version is in force, and its generation is dealt with."""
        router, manager = self.service.router, self.service.manager
        await until(lambda: router.stable is not None and router.stable.name == version)
        served = router.stable
        assert served is not None
        await until(lambda: manager.observed_generation > 0)


def replace_model(service: InProcess, compute: Compute, *, slow: bool = False) -> None:
    """Let the servable in force compute something else."""
    stable = service.service.router.stable
    assert stable is not None
    stable._model = fake_model.FakeModel(compute)
    stable._sample = fake_model.SAMPLE
    if slow:
        stable.pace = fake_model.slow()


@asynccontextmanager
async def serving(surroundings: Surroundings, **variables: str) -> AsyncIterator[InProcess]:
    """Yield a service that follows its channel; it ends in good order."""
    service = surroundings.service(**variables)
    transport = httpx.ASGITransport(Front(service))
    await service.start()
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            yield InProcess(service, client, surroundings)
    finally:
        await service.stop()


@asynccontextmanager
async def listening(service: Service) -> AsyncIterator[tuple[int, list[Connection]]]:
    """Yield a port on which a service listens, and all the connections that are made to it."""
    front = Front(service)
    config = uvicorn.Config(front, ws="none", log_config=None)
    config.load()
    made: list[Connection] = []

    def connection() -> Connection:
        made.append(Connection(service, front.hot, config, ServerState(), {}))
        return made[-1]

    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], made
    finally:
        server.close()
        for each in made:
            each.transport.abort()
