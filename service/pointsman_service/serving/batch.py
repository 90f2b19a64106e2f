"""A batch: jobs that are computed in one run, and get their own rows of its outputs.

When a run of several fails, each is run by itself: one bad input harms nobody else.
"""

import time
from collections.abc import Sequence

import msgspec
import numpy as np

from pointsman_service.errors import RequestFailed
from pointsman_service.serving.job import ALONE, Job
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays

Result = Arrays | Exception


class Run(msgspec.Struct):
    """What came of a batch: per job its outputs or its failure, and between which times."""

    results: Sequence[Result]
    started: float
    ended: float
    together: bool
    """Whether it was one run; if not, the times say nothing about the model's pace."""


def shape_of(feed: Arrays) -> tuple[int, object]:
    """Return how many rows a feed has, and the shape that others must have to join it."""
    arrays = list(feed.values())
    first = arrays[0]
    if not first.ndim:
        return 1, ALONE
    rows = len(first)
    if len(arrays) == 1:
        return rows, first.shape[1:] if rows else ALONE
    if not rows or any(not array.ndim or len(array) != rows for array in arrays):
        return rows, ALONE
    return rows, tuple(array.shape[1:] for array in arrays)


def elements(servable: Servable, batch: Sequence[Job]) -> int:
    """Return how many elements all inputs have; 0 where each row has as many as any other.

    Strings are as long as what was read for them: to look at each would take its time.
    """
    if not servable.pace.by_elements:
        return 0
    return sum(
        job.size if array.dtype.kind == "O" else array.size
        for job in batch
        for array in job.feed.values()
    )


def run(servable: Servable, batch: Sequence[Job]) -> Run:
    """Compute a batch; may be called in any thread. Failures are results, and not raised."""
    started = time.perf_counter()
    together = True
    results: Sequence[Result]
    try:
        results = [servable.run(batch[0].feed)] if len(batch) == 1 else _together(servable, batch)
    except Exception as error:  # noqa: BLE001 — each job's owner hears of it
        together = len(batch) == 1
        results = [error] if together else [_alone(servable, job) for job in batch]
    return Run(results, started, time.perf_counter(), together)


def run_if_wanted(servable: Servable, batch: Sequence[Job]) -> Run | None:
    """Compute a batch, unless nobody waits for it any more; in a thread that was long in coming."""
    return None if all(job.ended for job in batch) else run(servable, batch)


def _together(servable: Servable, batch: Sequence[Job]) -> Sequence[Arrays]:
    names = batch[0].feed
    outputs = servable.run(
        {name: np.concatenate([job.feed[name] for job in batch]) for name in names}
    )
    parts: list[Arrays] = []
    end = 0
    for job in batch:
        start, end = end, end + job.rows
        parts.append({name: array[start:end] for name, array in outputs.items()})
    if any(len(array) != end for array in outputs.values()):
        raise RequestFailed(f"{servable.name} does not answer row by row")
    return parts


def _alone(servable: Servable, job: Job) -> Result:
    try:
        return servable.run(job.feed)
    except Exception as error:  # noqa: BLE001
        return error
