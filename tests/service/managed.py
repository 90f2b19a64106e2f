"""A manager with real parts around it, over a store that obeys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from pointsman.cache import Cache
from pointsman.registry import Registry
from pointsman_service.runtime.headroom import Headroom
from pointsman_service.serving.aspired import LastServed
from pointsman_service.serving.counters import Timing
from pointsman_service.serving.loader import Loader
from pointsman_service.serving.manager import Manager
from pointsman_service.serving.room import Room
from pointsman_service.serving.router import Router
from tests.fakes.memory_store import MemoryStore
from tests.service.obedient_store import ObedientStore
from tests.service.patience import until
from tests.service.shelf import Shelf

SOON = 0.01


class Managed:
    """The parts, and what tests ask about them."""

    BAKE_SECONDS = 3600.0

    def __init__(self, directory: Path, store: ObedientStore | None = None) -> None:
        self.store = store or ObedientStore(MemoryStore())
        self.shelf = Shelf(self.store, directory / "models")
        self.router = Router()
        cache = Cache(directory / "cache")
        self.last_served = LastServed(cache, self.store.url, "m", "production")
        self.headroom: Headroom | None = None
        """What there is left of memory, by measurement."""
        self.changes = 0
        self.manager = Manager(
            Loader(Registry(self.store), cache, "m", threads=1),
            self.router,
            self.last_served,
            self._changed,
            Room(lambda: self.headroom),
            Timing(retry=SOON, cure=SOON, bake=self.BAKE_SECONDS),
        )

    def _changed(self) -> None:
        self.changes += 1

    @property
    def serving(self) -> str:
        """The version in force."""
        return self.router.stable.name if self.router.stable else ""

    @property
    def loading(self) -> str:
        """The version that is being loaded."""
        return self.manager.loading.pointer.version if self.manager.loading else ""

    @property
    def states(self) -> dict[str, str]:
        """Every servable's state, by version."""
        return {each.name: str(each.state) for each in self.manager.residents}

    async def until_observed(self, generation: int) -> None:
        """Wait until a generation has been dealt with."""
        await until(lambda: self.manager.observed_generation == generation)


Kind = TypeVar("Kind", bound=Managed)


@asynccontextmanager
async def at_work(managed: Kind) -> AsyncIterator[Kind]:
    """Let a manager run for the length of the block."""
    task = asyncio.create_task(managed.manager.run())
    try:
        yield managed
        assert not task.done(), "the manager must not end"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await managed.manager.close()
