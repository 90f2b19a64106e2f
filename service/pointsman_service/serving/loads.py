"""Loads: one version at a time is brought into memory, whoever waits for it, or nobody.

A load cannot be interrupted, but it can be left alone: when the channel moves on, what is aspired
now need not wait for what was aspired before. Whoever finds the load finished takes its result.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import msgspec

from pointsman.channel import Pointer
from pointsman_service.serving.servable import Servable


class Load(msgspec.Struct, frozen=True):
    """A version that is being loaded, and since when."""

    pointer: Pointer
    since: datetime
    task: "asyncio.Task[Servable]"


class Loads:
    """At most one load; used from the event loop only."""

    def __init__(self, ended: Callable[[], None]) -> None:
        """Call `ended` whenever a load has ended."""
        self._ended = ended
        self._free = asyncio.Event()
        self._free.set()
        self.current: Load | None = None

    def begin(self, pointer: Pointer, work: Coroutine[Any, Any, Servable]) -> Load:
        """Begin to load; there must be no other load."""
        if self.current is not None:
            raise RuntimeError("one version is loaded at a time")
        task = asyncio.create_task(work, name=f"load {pointer.version}")
        task.add_done_callback(lambda _task: self._ended())
        self.current = Load(pointer, datetime.now(UTC), task)
        self._free.clear()
        return self.current

    def finished(self) -> Load | None:
        """Return the load that has ended, once."""
        load = self.current
        if load is None or not load.task.done():
            return None
        self.current = None
        self._free.set()
        return load

    async def free(self) -> None:
        """Return when nothing is loaded, and no result waits to be taken."""
        await self._free.wait()

    async def close(self) -> None:
        """Wait for nothing any more."""
        if self.current is not None:
            self.current.task.cancel()
            await asyncio.gather(self.current.task, return_exceptions=True)
            self.current = None
