"""The one way through the service for every prediction, whatever protocol it came by.

A job claims a servable, is read by its signature, waits its turn, is computed and written; and is
counted by how that ended. What is quick happens on the event loop: what has been read in one of its
turns is computed in the next, together; or at once, if nobody else seems to be there. What takes
longer happens in threads, and what arrives meanwhile makes the next batch.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any

from pointsman_service.errors import NotServing, TimedOut
from pointsman_service.serving import batch as batches
from pointsman_service.serving.batch import Result, Run
from pointsman_service.serving.batcher import Batcher
from pointsman_service.serving.job import ALONE, Job
from pointsman_service.serving.pace import ALONE_SECONDS, INLINE_SECONDS
from pointsman_service.serving.router import Router
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays

INLINE_BYTES = 64 << 10
"""JSON of this size is read, or written, in less than a millisecond."""
_ALONE_FOR = 8
"""After so many requests in a row somebody is known to be alone."""

log = logging.getLogger(__name__)


class Inference:
    """Sees jobs from their beginning to their end; used from the event loop only."""

    def __init__(
        self,
        router: Router,
        executor: Executor,
        workers: int,
        capacity: int,
        timeout: float = 0,
    ) -> None:
        """Compute in `executor`, which has `workers` threads.

        At most `capacity` jobs wait for each servable, and none longer than `timeout` seconds
        unless that is 0.
        """
        self._timeout = timeout
        self._router = router
        self._executor = executor
        self._idle_workers = workers
        self._capacity = capacity
        self._batchers: dict[Servable, Batcher] = {}
        self._open: set[Job] = set()
        self._last_caller = 0
        self._in_a_row = 0
        self.watchers: list[Callable[[Job], None]] = []
        """Told of every job that was answered, once it was; they are quick."""

    @property
    def is_idle(self) -> bool:
        """Whether no job is under way."""
        return not self._open

    def begin(self, job: Job) -> None:
        """Take on a job; its `finish` is called exactly once, perhaps before this returns."""
        try:
            job.servable = self._router.claim(job.key, job.version).servable
        except Exception as failure:  # noqa: BLE001 — whatever it is, the job must hear of it
            job.ended = True
            _finish(job, failure)
            return
        job.claimed = True
        self._open.add(job)
        if job.size > INLINE_BYTES:
            self._read(job)
            return
        try:
            feed = job.read()
        except Exception as failure:  # noqa: BLE001
            self.end(job, failure)
        else:
            self._wait(job, feed)

    def end(self, job: Job, failure: BaseException | None) -> None:
        """End a job, if it has not ended: also for those who give up on it."""
        if job.ended:
            return
        job.ended = True
        self._open.discard(job)
        if job.timer is not None:
            job.timer.cancel()
        job.servable.release(failure)
        _finish(job, failure)

    def close(self) -> int:
        """End all jobs that are under way, without an answer; return how many that were."""
        left = list(self._open)
        for job in left:
            self.end(job, NotServing("the service ended before the answer was ready"))
        return len(left)

    def _read(self, job: Job) -> None:
        """Read a job in a thread; it waits for that as it does for its turn."""
        batcher = self._batcher_of(job.servable)
        try:
            batcher.expect()
        except Exception as failure:  # noqa: BLE001
            self.end(job, failure)
            return
        self._watch(job)
        reading = self._started(job, job.read)
        reading.add_done_callback(batcher.arrived)
        reading.add_done_callback(partial(self._go_on, job, self._wait))

    def _wait(self, job: Job, feed: Any) -> None:
        """Let a job that has been read wait for its turn."""
        servable = job.servable
        batcher = self._batcher_of(servable)
        job.feed = feed
        job.rows, shape = batches.shape_of(feed)
        if self._is_alone(job, servable, batcher):
            self._computed(servable, [job], job.rows, batches.run(servable, [job]))
            return
        job.shape = shape if servable.pace.most_rows > 1 else ALONE
        try:
            batcher.add(job)
        except Exception as failure:  # noqa: BLE001
            self.end(job, failure)
            return
        self._watch(job)
        if not batcher.scheduled:
            self._schedule(servable, batcher)

    def _is_alone(self, job: Job, servable: Servable, batcher: Batcher) -> bool:
        """Tell whether a quick job would wait in vain for others that could join it.

        When several callers take turns, nobody has the last word and the next one, too. Who does
        is answered without a turn of the loop; who has had it for long, from a slower model, too.
        """
        if job.caller != self._last_caller or not job.caller:
            self._last_caller, self._in_a_row = job.caller, 0
            return False
        self._in_a_row += 1
        within = INLINE_SECONDS if self._in_a_row < _ALONE_FOR else ALONE_SECONDS
        return (
            batcher.is_idle
            and job.deadline is None
            and servable.pace.is_quick(job.rows, batches.elements(servable, [job]), within)
        )

    def _batcher_of(self, servable: Servable) -> Batcher:
        """Return a servable's batcher; one for a new servable replaces those of the unloaded."""
        known = self._batchers.get(servable)
        if known is not None:
            return known
        present = {key: each for key, each in self._batchers.items() if key.loaded}
        batcher = Batcher(servable.pace, self._capacity)
        self._batchers = present | {servable: batcher}
        return batcher

    def _watch(self, job: Job) -> None:
        """End a job when its deadline comes, or the service's; reading it may have set another."""
        if job.deadline is None and not self._timeout:
            return
        if job.timer is not None:
            job.timer.cancel()
        deadlines = [job.arrived + self._timeout] if self._timeout else []
        if job.deadline is not None:
            deadlines.append(job.deadline)
        seconds = max(0.0, min(deadlines) - time.perf_counter())
        late = TimedOut("the deadline came before the answer")
        job.timer = asyncio.get_running_loop().call_later(seconds, self.end, job, late)

    def _schedule(self, servable: Servable, batcher: Batcher) -> None:
        batcher.scheduled = True
        asyncio.get_running_loop().call_soon(self._turn, servable, batcher)

    def _turn(self, servable: Servable, batcher: Batcher) -> None:
        """Compute the next batch of a servable, here or in a thread if one is idle."""
        batcher.scheduled = False
        slow = servable.pace.expected(1) > INLINE_SECONDS
        if slow and self._idle_workers < 1:
            return  # whichever run ends next comes back to this
        batch = batcher.take()
        if not batch:
            return
        rows = sum(job.rows for job in batch)
        if servable.pace.is_quick(rows, batches.elements(servable, batch)):
            self._computed(servable, batch, rows, batches.run(servable, batch))
        else:
            self._hand_over(servable, batcher, batch, rows)
        if len(batcher):
            self._schedule(servable, batcher)

    def _hand_over(self, servable: Servable, batcher: Batcher, batch: list[Job], rows: int) -> None:
        """Compute a batch in a thread; while none is idle, it goes on waiting for one."""
        waiting = len(batch) if self._idle_workers < 1 else 0
        batcher.wait_for_thread(waiting)
        self._idle_workers -= 1
        servable.hold()
        running = asyncio.get_running_loop().run_in_executor(
            self._executor, batches.run_if_wanted, servable, batch
        )
        running.add_done_callback(lambda _running: batcher.wait_for_thread(-waiting))
        running.add_done_callback(partial(self._thread_is_back, servable, batch, rows))

    def _thread_is_back(
        self,
        servable: Servable,
        batch: list[Job],
        rows: int,
        running: "asyncio.Future[Run | None]",
    ) -> None:
        self._idle_workers += 1
        servable.let_go()
        run = None if running.cancelled() else running.result()
        if run is not None:
            self._computed(servable, batch, rows, run)
        for each, batcher in self._batchers.items():
            if len(batcher) and not batcher.scheduled:
                self._schedule(each, batcher)

    def _computed(self, servable: Servable, batch: list[Job], rows: int, run: Run) -> None:
        servable.statistics.runs += 1
        # All parts are of one size, more or less: those of the first tell for all.
        first = run.results[0]
        large = not isinstance(first, Exception) and _bytes(first) > INLINE_BYTES
        for job, result in zip(batch, run.results, strict=True):
            if not job.ended:
                job.started, job.computed = run.started, run.ended
                self._write(job, result, large=large)
        if run.together:  # after the answers: to learn takes a moment, too
            elements = batches.elements(servable, batch)
            servable.pace.observed(rows, run.ended - run.started, elements)

    def _write(self, job: Job, result: Result, *, large: bool) -> None:
        if isinstance(result, Exception):
            self.end(job, result)
            return
        job.outputs = result
        if large:
            writing = self._started(job, job.write)
            writing.add_done_callback(partial(self._go_on, job, self._written))
            return
        try:
            job.write()
        except Exception as failure:  # noqa: BLE001
            self.end(job, failure)
        else:
            self._written(job, None)

    def _written(self, job: Job, _nothing: None) -> None:
        if job.ended:
            return
        self.end(job, None)
        job.servable.statistics.answered(
            job.rows,
            job.started - job.arrived,
            job.computed - job.started,
            time.perf_counter() - job.arrived,
        )
        for watch in self.watchers:
            try:
                watch(job)
            except Exception:
                log.exception("an answer was given, and somebody who looks at answers broke")

    def _started(self, job: Job, step: Callable[[], Any]) -> "asyncio.Future[Any]":
        """Take a step of a job in a thread, unless it has ended when one is free."""
        return asyncio.get_running_loop().run_in_executor(
            self._executor, lambda: None if job.ended else step()
        )

    def _go_on(
        self, job: Job, then: Callable[[Job, Any], None], step: "asyncio.Future[Any]"
    ) -> None:
        """Go on with `then` after a step in a thread."""
        if step.cancelled():
            return
        failure = step.exception()
        if job.ended:
            return
        if failure is None:
            then(job, step.result())
        else:
            self.end(job, failure)


def _finish(job: Job, failure: BaseException | None) -> None:
    """Tell a job its outcome; one that breaks over it harms none of those that come after it."""
    try:
        job.finish(failure)
    except Exception:
        log.exception("an answer could not be handed over")


def _bytes(outputs: Arrays) -> int:
    size = 0
    for array in outputs.values():
        size += array.nbytes
    return size
