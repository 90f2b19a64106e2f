"""The mirror: lets a shadow compute along with what was answered, without delaying any answer.

It takes a fixed share of the requests after they were answered, one at a time, in a thread of the
lowest priority; what comes while too much is waiting is dropped, and counted as dropped.
"""

import asyncio
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import msgspec
from numpy.typing import NDArray

from pointsman_service.errors import RequestFailed
from pointsman_service.serving import shadow_comparison
from pointsman_service.serving.servable import Servable
from pointsman_service.serving.shadow_comparison import Comparison, Difference
from pointsman_service.tensors import Arrays, rows

MOST_WAITING = 8
MOST_WAITING_BYTES = 32 << 20
_ALL = 100
_LOWEST_PRIORITY = 19

Feed = Mapping[str, NDArray[Any]]
log = logging.getLogger(__name__)


class _Copy(msgspec.Struct, frozen=True):
    """A request that was answered."""

    feed: Feed
    outputs: Feed
    size: int


class Mirror:
    """Shows requests to a shadow; used from the event loop only."""

    def __init__(self) -> None:
        self.servable: Servable | None = None
        """The shadow, while there is one."""
        self.comparison = Comparison()
        self._percent = 0
        self._due = 0
        self._waiting: deque[_Copy] = deque()
        self._waiting_bytes = 0
        self._work: asyncio.Task[None] | None = None
        self._executor: ThreadPoolExecutor | None = None

    def aim(self, servable: Servable | None, percent: int) -> None:
        """Let `servable` compute along for `percent` of the requests from now on; or nobody."""
        self._percent = percent
        if servable is self.servable:
            return
        self.servable = servable
        self.comparison = Comparison()
        self._waiting.clear()
        self._waiting_bytes = 0

    def offer(self, feed: Feed, outputs: Feed) -> None:
        """Take a request that was answered, if it is its turn and there is room; never waits."""
        if self.servable is None:
            return
        self._due += self._percent
        if self._due < _ALL:
            return
        self._due -= _ALL
        size = sum(array.nbytes for array in (*feed.values(), *outputs.values()))
        full = len(self._waiting) >= MOST_WAITING
        if full or self._waiting_bytes + size > MOST_WAITING_BYTES:
            self.comparison.dropped += 1
            return
        self._waiting.append(_Copy(feed, outputs, size))
        self._waiting_bytes += size
        if self._work is None:
            self._work = asyncio.create_task(self._work_off(), name="shadow")

    async def close(self) -> None:
        """Compute nothing more."""
        self.aim(None, 0)
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                copy = self._waiting.popleft()
                self._waiting_bytes -= copy.size
                try:
                    await self._show(copy)
                except RequestFailed as failure:
                    log.debug("the shadow does not answer: %s", failure)
                except Exception:
                    log.exception("the shadow broke")
        finally:
            self._work = None

    async def _show(self, copy: _Copy) -> None:
        servable, comparison = self.servable, self.comparison
        if servable is None:
            return
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, "shadow", initializer=_stand_back)
        asked = time.perf_counter()
        with servable.claim():
            started, ended, outputs, difference = await asyncio.get_running_loop().run_in_executor(
                self._executor, _computed, servable, copy
            )
        comparison.add(difference)
        now = time.perf_counter()
        servable.statistics.runs += 1
        servable.statistics.answered(rows(copy.feed), started - asked, ended - started, now - asked)
        servable.looks.look(copy.feed, outputs)


def _computed(servable: Servable, copy: _Copy) -> tuple[float, float, Arrays, Difference]:
    started = time.perf_counter()
    outputs = servable.run(copy.feed)
    ended = time.perf_counter()
    return started, ended, outputs, shadow_comparison.compare(copy.outputs, outputs)


def _stand_back() -> None:
    """Let this thread have only what nobody else wants of the processor."""
    with suppress(OSError, AttributeError):  # threads have priorities of their own on Linux only
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
