"""The residents: every servable this process holds, has held lately, and may unload.

A servable leaves in the background: it refuses new claims, waits for the handles that are out,
and only then drops its model. What it counted is kept, and goes on when its version comes back.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator

from pointsman_service.runtime import memory
from pointsman_service.serving import policy
from pointsman_service.serving.servable import Servable

_REMEMBERED = 16

log = logging.getLogger(__name__)


class Residents:
    """Servables by digest; used from the event loop only."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._ready: dict[str, Servable] = {}
        self._leaving: dict[asyncio.Task[None], Servable] = {}
        self._gone: dict[str, Servable] = {}
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
        """Stop waiting for servables that still drain."""
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _unload(self, servable: Servable) -> None:
        await servable.drain()
        servable.unload()
        self._gone[servable.name] = servable
        while len(self._gone) > _REMEMBERED:
            del self._gone[next(iter(self._gone))]
        await asyncio.to_thread(memory.trim)
        log.info("unloaded %s", servable.name)
        self._changed()
