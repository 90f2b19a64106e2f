"""The batcher: what waits for one servable, and which of it is computed together next.

It never waits for more to come: a batch is what is there when a run may begin. Only rows of equal
shape are put together, and the limit counts rows. A job whose caller has gone is passed over.
"""

from collections import deque
from collections.abc import Hashable

from pointsman_service.errors import Overloaded
from pointsman_service.serving.job import ALONE, DEFAULT_PRIORITY, Job
from pointsman_service.serving.pace import Pace


class Batcher:
    """A bounded queue; used from the event loop only."""

    def __init__(self, pace: Pace, capacity: int) -> None:
        """Hold at most `capacity` jobs; batch by `pace`."""
        self.scheduled = False
        """Whether somebody is about to take."""
        self._pace = pace
        self._capacity = capacity
        self._groups: dict[Hashable, deque[Job]] = {}
        self._waiting = 0
        self._expected = 0

    def __len__(self) -> int:
        """Return how many jobs wait."""
        return self._waiting

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, nor is expected to."""
        return not (self._waiting or self._expected)

    def add(self, job: Job) -> None:
        """Let a job wait for its turn; raises `Overloaded` when too many do."""
        self._admit()
        group = job.shape if job.priority == DEFAULT_PRIORITY else (job.priority, job.shape)
        waiting = self._groups.get(group)
        if waiting is None:
            self._groups[group] = deque((job,))
        else:
            waiting.append(job)
        self._waiting += 1

    def expect(self) -> None:
        """Count a job that has to be read first as waiting; raises `Overloaded` as `add` does."""
        self._admit()
        self._expected += 1

    def arrived(self, _reading: object) -> None:
        """Count it so no longer: it is added now, or never."""
        self._expected -= 1

    def wait_for_thread(self, jobs: int) -> None:
        """Count so many more jobs as waiting, which were taken and have no thread yet."""
        self._expected += jobs

    def take(self) -> list[Job]:
        """Take the next batch: the most urgent job, and what can be computed with it."""
        batch: list[Job] = []
        while self._groups and not batch:
            group = self._next()
            waiting = self._groups[group]
            self._fill(batch, waiting)
            if not waiting:
                del self._groups[group]
        return batch

    def _admit(self) -> None:
        if self._waiting + self._expected >= self._capacity:
            self._sweep()
        waiting = self._waiting + self._expected
        if waiting >= self._capacity:
            raise Overloaded(f"{waiting} requests are waiting already")

    def _sweep(self) -> None:
        """Forget the jobs that have ended, whose callers left or whose deadlines came."""
        for group, waiting in list(self._groups.items()):
            staying = deque(job for job in waiting if not job.ended)
            self._waiting -= len(waiting) - len(staying)
            if staying:
                self._groups[group] = staying
            else:
                del self._groups[group]

    def _fill(self, batch: list[Job], waiting: deque[Job]) -> None:
        rows, most = 0, self._pace.best_rows
        while waiting:
            job = waiting[0]
            if not job.ended:
                if batch and (job.shape is ALONE or rows + job.rows > most):
                    return
                batch.append(job)
                rows += job.rows
            waiting.popleft()
            self._waiting -= 1

    def _next(self) -> Hashable:
        groups = self._groups
        if len(groups) == 1:
            return next(iter(groups))
        return min(groups, key=lambda group: (groups[group][0].priority, groups[group][0].arrived))
