"""A model's pace: how long it takes for how many rows, and so how it is best run.

Measured when the model is loaded and corrected by every run since. It tells what is quick enough
for the event loop, and how many rows of different requests are worth running together: matrix
multiplications gain by it, convolutions on a CPU lose.

Rows need not be of one size: a sequence may be a thousand times longer than the one that was
measured. So only what is no larger than something that was quick already counts as quick.
"""

import math
from collections.abc import Mapping

INLINE_SECONDS = 0.001
"""What takes less runs on the event loop: a thread's hop would cost more than it."""

ALONE_SECONDS = 0.02
"""What takes less may run there for somebody who is alone: nobody else waits for the loop then, and
to wake a thread and be woken by it takes a fiftieth of ten milliseconds, the caches being cold."""

_WORTH_BEGINNING = 1.1
"""Rows are put together at all if that gains 10 %: what a measurement cannot just imagine."""
_WORTH_MORE = 1.02
"""More of them win if they gain 2 %: fewer make nobody wait."""
_NEWS = 0.1
"""How much one run tells, against all before it."""
_OUTLIER = 4.0
_RUNS_BETWEEN = 64
_SIZES = 32


class Pace:
    """Seconds per run, by powers of two of rows; used from the event loop only."""

    __slots__ = (
        "_at_load",
        "_quick_row",
        "_quick_run",
        "_runs",
        "_seconds",
        "_unseen",
        "best_rows",
        "most_rows",
    )

    def __init__(
        self, measured: Mapping[int, float], most_rows: int = 1, row_elements: float = math.inf
    ) -> None:
        """Begin with `measured` (rows → seconds); never put more than `most_rows` together.

        1 is for models whose rows must not be mixed with others at all. `row_elements` is how many
        elements each of the measured rows had, unless all rows have equally many.
        """
        self.most_rows = most_rows
        quick = [rows for rows, seconds in measured.items() if seconds <= INLINE_SECONDS]
        self._quick_row = row_elements
        self._quick_run = row_elements * max(quick, default=1)
        self._runs = 0
        self._seconds = [0.0] * _SIZES
        for rows, seconds in measured.items():
            self._seconds[_size(rows)] = seconds
        self._at_load = {size: seconds for size, seconds in enumerate(self._seconds) if seconds}
        self._unseen = set(self._at_load)
        """The sizes of which there was no run since then."""
        self.best_rows = self._best()
        """How many rows to put together: what is fastest per row, as far as is known."""

    def expected(self, rows: int) -> float:
        """Return how many seconds a run of `rows` should take."""
        size = _size(rows)
        if seconds := self._seconds[size]:
            return seconds
        known = min(
            (each for each, seconds in enumerate(self._seconds) if seconds),
            key=lambda each: abs(each - size),
        )
        # What more rows cost is at most in proportion; that fewer are cheaper is not known.
        return self._seconds[known] * 2.0 ** max(0, size - known)

    @property
    def by_elements(self) -> bool:
        """Whether the elements of a run have to be counted to tell whether it is quick."""
        return self._quick_row < math.inf

    def is_quick(self, rows: int, elements: int = 0, within: float = INLINE_SECONDS) -> bool:
        """Tell whether a run of `rows`, with so many `elements` in all, takes at most `within`."""
        return (
            self.expected(rows) <= within
            and elements <= self._quick_run
            and elements <= self._quick_row * rows
        )

    def observed(self, rows: int, seconds: float, elements: int = 0) -> None:
        """Learn from a run."""
        if seconds <= INLINE_SECONDS and rows:
            self._quick_run = max(self._quick_run, elements)
            self._quick_row = max(self._quick_row, elements / rows)
        size = _size(rows)
        before = self._seconds[size]
        if before:
            # One run that was held up by others says little; many of them soon say enough.
            seconds = before + _NEWS * (min(seconds, _OUTLIER * before) - before)
        self._seconds[size] = seconds
        self._unseen.discard(size)
        self._runs += 1
        if not before or self._runs % _RUNS_BETWEEN == 0:
            self._correct_unseen(size)
            self.best_rows = self._best()

    def _correct_unseen(self, size: int) -> None:
        """Let sizes that were only measured at load change as this one has since.

        A machine's load, or its pages, change all runs alike: to hold a new time of one size
        against an old one of another would compare two machines.
        """
        if size in self._at_load:
            change = self._seconds[size] / self._at_load[size]
            for other in self._unseen:
                self._seconds[other] = self._at_load[other] * change

    def _best(self) -> int:
        sizes = [
            size
            for size, seconds in enumerate(self._seconds)
            if seconds and 1 << size <= self.most_rows
        ]
        best, best_rate = 0, 0.0
        for size in sizes:
            rate = (1 << size) / self._seconds[size]
            worth = _WORTH_MORE if best else _WORTH_BEGINNING
            if rate > best_rate * worth:
                best, best_rate = size, rate
        # More than was ever tried is worth a try if so far every step has gained.
        untried = len(sizes) > 1 and best == sizes[-1]
        return min(2 << best if untried else 1 << best, max(self.most_rows, 1))


def _size(rows: int) -> int:
    """Return the power of two that is next above, so that a size is never taken for a smaller."""
    return min((rows - 1).bit_length(), _SIZES - 1) if rows > 1 else 0
