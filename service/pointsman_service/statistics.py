"""How one version has been answering: counts, errors, and where the time went.

Plain integers, and durations that are sorted into buckets some hundred at a time: this is updated
at every request, and only `api.metrics` and the heartbeat turn it into what others read.
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import islice

import msgspec
import numpy as np

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
_BOUNDS = np.array(BUCKETS)
_RECENT = 2048
_AT_A_TIME = 256


class Phase(StrEnum):
    """A part of a request's time inside the service."""

    QUEUE = "queue"
    COMPUTE = "compute"
    TOTAL = "total"


class Histogram(msgspec.Struct):
    """Durations in seconds, counted by bucket; the last bucket has no upper bound."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    sum: float = 0.0

    def observe(self, durations: Sequence[float]) -> None:
        """Count durations."""
        found = np.bincount(np.searchsorted(_BOUNDS, durations), minlength=len(self.counts))
        self.counts = [
            before + more for before, more in zip(self.counts, found.tolist(), strict=True)
        ]
        self.sum += sum(durations)


class Statistics:
    """What has been asked of one version since the process began.

    A version that is unloaded and loaded again goes on counting where it left off.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.rows = 0
        self.runs = 0
        """How often the model ran; several requests may share a run."""
        self.rejected = 0
        self.dropped = 0
        self.errors = 0
        self.last_answered = 0.0
        """When the last prediction was answered, in seconds since 1970; 0 if there was none."""
        self._phases = {phase: Histogram() for phase in Phase}
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._fresh: list[tuple[float, float, float]] = []

    def answered(self, rows: int, queue: float, compute: float, total: float) -> None:
        """Count a request that got its prediction, and where its seconds went."""
        self.requests += 1
        self.rows += rows
        self.last_answered = time.time()
        self._fresh.append((queue, compute, total))
        if len(self._fresh) >= _AT_A_TIME:
            self._sort()

    @property
    def phases(self) -> Mapping[Phase, Histogram]:
        """Durations by phase."""
        self._sort()
        return self._phases

    def quantiles(self) -> tuple[float, float] | None:
        """Return the median and the 99th percentile of recent totals, in seconds."""
        self._sort()
        if not self._recent:
            return None
        ordered = sorted(self._recent)
        return ordered[len(ordered) // 2], ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]

    def p99_of_last(self, requests: int) -> float | None:
        """Return the 99th percentile of the last so many totals, as far as they are remembered."""
        self._sort()
        last = sorted(islice(reversed(self._recent), requests))
        return last[min(len(last) * 99 // 100, len(last) - 1)] if last else None

    def _sort(self) -> None:
        if self._fresh:
            by_phase = dict(zip(Phase, zip(*self._fresh, strict=True), strict=True))
            for phase, durations in by_phase.items():
                self._phases[phase].observe(durations)
            self._recent.extend(by_phase[Phase.TOTAL])
            self._fresh.clear()
