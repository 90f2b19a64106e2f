"""Calibration: warms a model up, and measures how it is best run.

Whether rows of different requests may be computed together at all is tried, not assumed: a model
may normalise over its batch. Whether it pays is measured.
"""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pointsman.errors import InvalidModel
from pointsman.manifest import TensorSpec
from pointsman.session import RunFailed
from pointsman_service.serving.pace import Pace
from pointsman_service.tensors import Arrays, rows

_WARM_UP_RUNS = 5
_WARM_UP_SECONDS = 0.5
_BATCH_SECONDS = 0.25
"""What measuring batches may take; larger ones than fit are found while serving."""
_TOLERANCE = 1e-3


class Calibrated(Protocol):
    """What is measured: a `pointsman.session.Session`."""

    @property
    def inputs(self) -> Sequence[TensorSpec]:
        """The model's inputs."""
        ...

    @property
    def outputs(self) -> Sequence[TensorSpec]:
        """The model's outputs."""
        ...

    def run(self, feed: Mapping[str, NDArray[Any]]) -> Arrays:
        """Compute all outputs; raises `RunFailed`."""
        ...

    def shrink(self, feed: Mapping[str, NDArray[Any]]) -> None:
        """Compute, and give back the memory that larger runs needed."""
        ...


def measure(model: Calibrated, sample: Mapping[str, NDArray[Any]], most_rows: int) -> Pace:
    """Return the pace of a model on `sample`, and of up to `most_rows` rows together.

    Raises `InvalidModel` when it does not even compute the sample.
    """
    try:
        measured = {rows(sample) or 1: _warm_up(model, sample)}
    except RunFailed as error:
        raise InvalidModel(f"the model fails on a sample input: {error}") from error
    row_elements = math.inf if _of_one_size(model) else _elements(sample) / (rows(sample) or 1)
    if most_rows == 1 or rows(sample) != 1 or not _keeps_rows_apart(model, sample):
        return Pace(measured, 1, row_elements)
    return Pace(measured | _batches(model, sample, most_rows), most_rows, row_elements)


def _of_one_size(model: Calibrated) -> bool:
    """Tell whether no row of any request can have more elements than another."""
    (spec, *more) = model.inputs
    return not more and spec.datatype != "BYTES" and -1 not in spec.shape[1:]


def _elements(sample: Mapping[str, NDArray[Any]]) -> int:
    return sum(
        sum(map(len, array.flat)) if array.dtype.kind == "O" else array.size
        for array in sample.values()
    )


def _warm_up(model: Calibrated, sample: Mapping[str, NDArray[Any]]) -> float:
    """Return the median seconds of a run."""
    durations: list[float] = []
    while len(durations) < _WARM_UP_RUNS and sum(durations) < _WARM_UP_SECONDS:
        durations.append(_seconds(model, sample))
    return sorted(durations)[len(durations) // 2]


def _keeps_rows_apart(model: Calibrated, sample: Mapping[str, NDArray[Any]]) -> bool:
    """Tell whether two rows together give what each gives alone."""
    if any(spec.shape[:1] != (-1,) for spec in (*model.inputs, *model.outputs)):
        return False
    # Backwards: another row, made of values that the model takes.
    other = {name: array[..., ::-1] for name, array in sample.items()}
    both = {name: np.concatenate([sample[name], other[name]]) for name in sample}
    try:
        alone, also_alone, together = (model.run(feed) for feed in (sample, other, both))
    except (RunFailed, ValueError):
        return False
    return all(
        _same(np.concatenate([alone[name], also_alone[name]]), together[name]) for name in together
    )


def _same(expected: NDArray[Any], got: NDArray[Any]) -> bool:
    if expected.shape != got.shape:
        return False
    if expected.dtype.kind == "f":
        scale = float(np.abs(expected).max(initial=0.0, where=np.isfinite(expected)))
        return np.allclose(expected, got, _TOLERANCE, _TOLERANCE * scale, equal_nan=True)
    return bool(np.array_equal(expected, got))


def _batches(
    model: Calibrated, sample: Mapping[str, NDArray[Any]], most_rows: int
) -> dict[int, float]:
    """Return seconds by rows, for powers of two, as far as time allows."""
    measured: dict[int, float] = {}
    size, spent = 2, 0.0
    while size <= most_rows and spent < _BATCH_SECONDS:
        feed = {name: np.repeat(array, size, axis=0) for name, array in sample.items()}
        durations = [_seconds(model, feed), _seconds(model, feed)]
        measured[size] = min(durations)
        spent += sum(durations)
        size *= 2
    model.shrink(sample)
    return measured


def _seconds(model: Calibrated, feed: Mapping[str, NDArray[Any]]) -> float:
    started = time.perf_counter()
    model.run(feed)
    return time.perf_counter() - started
