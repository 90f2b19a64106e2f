"""How a shadow's outputs compare with what was answered: pure, but for numpy."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Outputs = Mapping[str, NDArray[Any]]


class Difference(msgspec.Struct, frozen=True):
    """Of one request: the largest difference of any number, and rows with the same best class.

    `largest` is None where no finite numbers could be compared, `rows` 0 where no output scores
    classes.
    """

    largest: float | None = None
    rows: int = 0
    agreeing: int = 0


def compare(answered: Outputs, shadow: Outputs) -> Difference:
    """Compare outputs of the same name and shape; a score output of another shape disagrees."""
    largest: float | None = None
    rows = agreeing = 0
    for name, expected in answered.items():
        got = shadow.get(name)
        scores = _scores(expected)
        if got is None or got.shape != expected.shape or got.dtype.kind not in "fiub":
            rows += len(expected) if scores else 0
            continue
        if expected.dtype.kind == "f" and (found := _largest(expected, got)) is not None:
            largest = found if largest is None else max(largest, found)
        if scores:
            rows += len(expected)
            agreeing += int((expected.argmax(axis=-1) == got.argmax(axis=-1)).sum())
    return Difference(largest, rows, agreeing)


class Comparison:
    """What was found since a shadow began."""

    def __init__(self) -> None:
        self.requests = 0
        self.dropped = 0
        self.max_difference: float | None = None
        self._rows = 0
        self._agreeing = 0

    @property
    def top1_agreement(self) -> float | None:
        """The share of rows with the same best class, from 0 to 1; None where nothing has one."""
        return self._agreeing / self._rows if self._rows else None

    def add(self, difference: Difference) -> None:
        """Count one request's difference."""
        self.requests += 1
        self._rows += difference.rows
        self._agreeing += difference.agreeing
        if difference.largest is not None:
            self.max_difference = max(self.max_difference or 0.0, difference.largest)


def _scores(array: NDArray[Any]) -> bool:
    """Tell whether an output has a number for each of several classes, in rows."""
    return array.dtype.kind == "f" and array.ndim == 2 and array.shape[1] > 1  # noqa: PLR2004


def _largest(expected: NDArray[Any], got: NDArray[Any]) -> float | None:
    with np.errstate(all="ignore"):
        gaps = np.abs(got.astype(np.float64) - expected.astype(np.float64))
    finite = gaps[np.isfinite(gaps)]
    return float(finite.max()) if finite.size else None
