"""Looks: what a version's answers look like, by looking at some of them.

Not a number, collapsed to a constant, or scores that moved: neither an error nor a latency shows
that. A look takes some ten microseconds, so most of the time only a few answers per second are
looked at, and some hundred while somebody decides by it: all of them on most services.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman_service.serving.bake import Looked

Arrays = Mapping[str, NDArray[Any]]

_PAUSE_SECONDS = 0.1
_CLOSE_PAUSE_SECONDS = 0.002
_BURST_SECONDS = 0.5
"""Looks that were not taken in this time may be taken at once, when watching closely."""
_MOST_ELEMENTS = 1 << 16
_FINGERPRINT_ELEMENTS = 1 << 10
_MOST_CLASSES = 1000
_MOST_INPUTS = 1000
_BINS = 10
_SUM_TOLERANCE = 1e-2
CONSTANT_AFTER = 50
"""So many different inputs must have had the same outputs until these count as constant."""


class Looks:
    """What was seen of one version; used from the event loop only."""

    __slots__ = (
        "_burst",
        "_first",
        "_inputs",
        "_pause",
        "bins",
        "due",
        "looked",
        "nonfinite",
        "same",
        "varied",
    )

    def __init__(self) -> None:
        self.due = 0.0
        """From when on (by perf_counter) the next answer should be looked at."""
        self.looked = 0
        self.nonfinite = 0
        self.varied = 0
        self.same = 0
        self.bins: Counter[int] = Counter()
        self._pause = _PAUSE_SECONDS
        self._burst = 0.0
        self._first: tuple[int, int] | None = None
        self._inputs: set[int] = set()

    @property
    def constant(self) -> bool:
        """Whether outputs have been the same all along, whatever the inputs were."""
        return self.varied >= CONSTANT_AFTER and self.same == self.varied

    def closely(self) -> None:
        """Look at up to 500 answers per second from now on."""
        self._pause, self._burst = _CLOSE_PAUSE_SECONDS, _BURST_SECONDS

    def in_passing(self) -> None:
        """Look at up to 10 answers per second from now on."""
        self._pause, self._burst = _PAUSE_SECONDS, 0.0

    def afresh(self) -> None:
        """Judge by what comes from now on whether outputs are constant, and inputs many."""
        self._first = None
        self._inputs.clear()

    def snapshot(self) -> Looked:
        """Return what was seen until now."""
        inputs = len(self._inputs)
        return Looked(self.looked, self.nonfinite, self.varied, self.same, inputs, dict(self.bins))

    def answered(self, now: float, feed: Arrays, outputs: Arrays) -> None:
        """Look at an answer that was given `now`, if it is time to."""
        if now >= self.due:
            self.due = max(self.due, now - self._burst) + self._pause
            self.look(feed, outputs)

    def look(self, feed: Arrays, outputs: Arrays) -> None:
        """Look at an answer."""
        self.looked += 1
        numbers = [array for array in outputs.values() if array.dtype.kind == "f"]
        self.nonfinite += not all(np.isfinite(_some(array)).all() for array in numbers)
        present = (_fingerprint(feed), _fingerprint(outputs))
        if len(self._inputs) < _MOST_INPUTS:
            self._inputs.add(present[0])
        if self._first is None:
            self._first = present
        elif present[0] != self._first[0]:
            self.varied += 1
            self.same += present[1] == self._first[1]
        for array in numbers:
            if (bins := _score_bins(array)) is not None:
                self.bins.update(bins)
                break


def _some(array: NDArray[Any]) -> NDArray[Any]:
    return array if array.size <= _MOST_ELEMENTS else array.ravel()[:_MOST_ELEMENTS]


def _few(array: NDArray[Any]) -> NDArray[Any]:
    """Return some elements from all over the array."""
    return array.ravel()[:: array.size // _FINGERPRINT_ELEMENTS + 1]


def _fingerprint(arrays: Arrays) -> int:
    return hash(tuple(_content(_few(array)) for array in arrays.values()))


def _content(array: NDArray[Any]) -> Any:
    return tuple(array.tolist()) if array.dtype == object else array.tobytes()


def _score_bins(array: NDArray[Any]) -> list[int] | None:
    """Return a bin for every row of a score output: the best class, or the tenth it lies in.

    None for what holds no scores: numbers from 0 to 1, which add up to 1 where there are several.
    """
    rows = array[:, None] if array.ndim == 1 else array
    if rows.ndim != 2 or not 0 < rows.size <= _MOST_ELEMENTS or rows.shape[1] > _MOST_CLASSES:  # noqa: PLR2004
        return None
    if not ((rows >= 0) & (rows <= 1)).all():  # which no NaN is
        return None
    if rows.shape[1] == 1:
        tenths: list[int] = np.minimum((rows[:, 0] * _BINS).astype(int), _BINS - 1).tolist()
        return tenths
    if (np.abs(rows.sum(axis=1) - 1) > _SUM_TOLERANCE).any():
        return None
    best: list[int] = rows.argmax(axis=1).tolist()
    return best
