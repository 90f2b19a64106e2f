"""The one way through the service for every prediction, whatever protocol it came by.

A request claims a servable, is read by its signature, waits its turn, is computed and written;
and is counted by how that ended.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

from pointsman_service.serving.router import Router
from pointsman_service.serving.servable import Handle, Servable
from pointsman_service.tensors import Arrays

_INLINE_BYTES = 64 << 10
"""JSON of this size is parsed, or written, in less than a millisecond."""

Result = TypeVar("Result")


class Inference:
    """Computes predictions, on the event loop what is quick and in threads what is not."""

    def __init__(self, router: Router, executor: Executor) -> None:
        self._router = router
        self._executor = executor

    def claim(self, key: bytes | None = None, version: str | None = None) -> Handle:
        """Choose and claim a servable; raises `NotServing` when there is none."""
        return self._router.claim(key, version)

    async def answer(
        self,
        servable: Servable,
        size: int,
        read: Callable[[Servable], Arrays],
        write: Callable[[Servable, Arrays], Result],
    ) -> Result:
        """Read `size` bytes, compute, write; the caller holds the servable's handle.

        Raises `RequestFailed`, which says why there is no answer.
        """
        arrived = time.perf_counter()
        feed = await self._apart(size, read, servable)
        computed = await servable.infer(feed, self._executor, arrived)
        size = sum(array.nbytes for array in computed.outputs.values())
        written = await self._apart(size, write, servable, computed.outputs)
        servable.answered(computed)
        return written

    async def _apart(self, size: int, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call `function` here if it deals with few bytes, else in a thread."""
        if size <= _INLINE_BYTES:
            return function(*arguments)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, function, *arguments)
