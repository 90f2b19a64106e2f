"""The residents: every servable this process holds, has held lately, and may unload.

A servable leaves in the background: it refuses new claims, waits for the handles that are out,
and only then drops its model. What it counted is kept, and goes on when its version comes back.
Who stays for a moment gets huge pages, if it is large enough to gain by them.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator

from pointsman_service.runtime import huge_pages, memory
from pointsman_service.serving import policy
from pointsman_service.serving.servable import Servable

_REMEMBERED = 16
_LARGE_BYTES = 4 << 20
_MOMENT_SECONDS = 1.0
"""It shall serve first: that takes the processor, and most of what a new version has to do."""

log = logging.getLogger(__name__)


class Residents:
    """Servables by digest; used from the event loop only."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._ready: dict[str, Servable] = {}
        self._leaving: dict[asyncio.Task[None], Servable] = {}
        self._gone: dict[str, Servable] = {}
        self._gathering: set[asyncio.Task[None]] = set()
        self.by_hand: set[str] = set()
        """The digests of what an operator wants to stay, whatever the channel says."""

    def __iter__(self) -> Iterator[Servable]:
        """Go through ready, draining and lately unloaded servables, each version once."""
        shown = set()
        for servable in (*self._ready.values(), *self._leaving.values(), *self._gone.values()):
            if servable.name not in shown:
                shown.add(servable.name)
                yield servable

    @property
    def ready(self) -> Collection[str]:
        """The digests of what could serve at once."""
        return self._ready.keys()

    @property
    def in_flight(self) -> int:
        """How many requests are being answered, by whichever version."""
        holding = (*self._ready.values(), *self._leaving.values())
        return sum(servable.in_flight for servable in holding)

    @property
    def asked(self) -> int:
        """How many requests came in all, however they ended."""
        counts = (each.statistics for each in self)
        return sum(each.requests + each.rejected + each.dropped + each.errors for each in counts)

    def get(self, digest: str) -> Servable:
        """Return a ready servable."""
        return self._ready[digest]

    def named(self, version: str) -> Servable | None:
        """Return the ready servable of a version, if there is one."""
        return next((each for each in self._ready.values() if each.name == version), None)

    def add(self, servable: Servable) -> None:
        """Take in a servable that was just loaded."""
        for before in self:
            if before.name == servable.name:
                servable.statistics = before.statistics
        self._ready[servable.version.digest] = servable
        if servable.version.manifest.size >= _LARGE_BYTES:
            task = asyncio.create_task(_gather(servable))
            self._gathering.add(task)
            task.add_done_callback(self._gathering.discard)

    def keep(self, needed: Collection[str | None], *, by_hand: bool = True) -> None:
        """Begin to unload every ready servable whose digest is not among `needed`.

        What stays by an operator's hand does, unless `by_hand` says that nothing else may.
        """
        if not by_hand:
            self.by_hand.clear()
        for digest in policy.surplus(self._ready, {*needed, *self.by_hand}):
            servable = self._ready.pop(digest)
            task = asyncio.create_task(self._unload(servable))
            self._leaving[task] = servable
            task.add_done_callback(self._leaving.pop)

    async def settled(self) -> None:
        """Return when all that was leaving is gone."""
        while self._leaving:
            await asyncio.wait(self._leaving)

    async def close(self) -> None:
        """Stop waiting for servables that still drain, and for huge pages."""
        tasks = [*self._leaving, *self._gathering]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _unload(self, servable: Servable) -> None:
        await servable.drain()
        servable.unload()
        self._gone[servable.name] = servable
        while len(self._gone) > _REMEMBERED:
            del self._gone[next(iter(self._gone))]
        await asyncio.to_thread(memory.trim)
        log.info("unloaded %s", servable.name)
        self._changed()


async def _gather(servable: Servable) -> None:
    await asyncio.sleep(_MOMENT_SECONDS)
    gathered = await asyncio.to_thread(huge_pages.gather, lambda: servable.loaded)
    log.debug("%d bytes lie in huge pages since %s is here", gathered, servable.name)
