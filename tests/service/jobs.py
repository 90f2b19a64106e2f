"""Jobs that a test begins by hand, and a service's way of computing them without a service."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman_service.serving.inference import Inference
from pointsman_service.serving.job import Job
from pointsman_service.serving.router import Router
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays


class HandMade(Job):
    """A job for rows of four numbers, which notes its outcome."""

    def __init__(self, *rows: float, size: int = 0, error: Exception | None = None) -> None:
        super().__init__(size)
        self.x: NDArray[Any] = np.array([[row] * 4 for row in rows], np.float32)
        self.error = error
        self.answer: Any = None
        self.failure: BaseException | None = None
        self.finished = 0

    def read(self) -> Arrays:
        """Return the rows, or raise what the test wants raised."""
        if self.error is not None:
            raise self.error
        return {"x": self.x}

    def write(self) -> None:
        """Note the first number of each row."""
        self.answer = [float(row[0]) for row in self.outputs["y"]]

    def finish(self, failure: BaseException | None) -> None:
        """Note how it ended."""
        self.finished += 1
        self.failure = failure


@contextmanager
def computing(servable: Servable, workers: int = 1, **options: Any) -> Iterator[Inference]:
    """Yield a way to compute with one servable; `workers` are the threads."""
    router = Router()
    router.switch(servable)
    with ThreadPoolExecutor(workers) as executor:
        yield Inference(router, executor, workers, options.pop("capacity", 100), **options)


def asking(caller: int, *rows: float) -> HandMade:
    """Return a job of this caller."""
    job = HandMade(*rows)
    job.caller = caller
    return job


class Longer(HandMade):
    """A job whose rows are longer than any that was measured."""

    def read(self) -> Arrays:
        """Return each row a hundred times over."""
        return {"x": np.tile(super().read()["x"], 100)}
