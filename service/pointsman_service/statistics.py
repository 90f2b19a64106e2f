"""How one version has been answering: counts, errors, and where the time went.

Plain integers and one ring of recent durations, because this is updated at every request;
`api.metrics` and the heartbeat turn it into what others read.
"""

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

BUCKETS = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    10,
)
_RECENT = 2048


class Phase(StrEnum):
    """A part of a request's time inside the service."""

    QUEUE = "queue"
    COMPUTE = "compute"
    TOTAL = "total"


@dataclass(slots=True)
class Histogram:
    """Durations in seconds, counted by bucket; the last bucket has no upper bound."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    sum: float = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.sum += seconds


class Statistics:
    """What has been asked of one version since the process began.

    A version that is unloaded and loaded again goes on counting where it left off.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.rows = 0
        self.rejected = 0
        self.errors = 0
        self.phases = {phase: Histogram() for phase in Phase}
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def answered(self, rows: int, queue: float, compute: float, total: float) -> None:
        """Count a request that got its prediction."""
        self.requests += 1
        self.rows += rows
        self.phases[Phase.QUEUE].observe(queue)
        self.phases[Phase.COMPUTE].observe(compute)
        self.phases[Phase.TOTAL].observe(total)
        self._recent.append(total)

    def quantiles(self) -> tuple[float, float] | None:
        """Return the median and the 99th percentile of recent totals, in seconds."""
        if not self._recent:
            return None
        ordered = sorted(self._recent)
        return ordered[len(ordered) // 2], ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]
