"""Models that compute what a test says, where a real one would need an ONNX file."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.session import RunFailed
from pointsman_service.serving.pace import Pace
from pointsman_service.tensors import Arrays

Feed = Mapping[str, NDArray[Any]]
Compute = Callable[[Feed], Arrays]
SAMPLE = {"x": np.ones((1, 4), np.float32)}


def fast() -> Pace:
    """A model quick enough for the event loop, whose rows are never mixed with others'."""
    return Pace({1: 0.0001})


def slow() -> Pace:
    """A model that needs a thread."""
    return Pace({1: 1.0})


class FakeModel:
    """Computes what the test says, in the thread that asks, and notes which that was."""

    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self.threads: list[int] = []

    def run(self, feed: Feed) -> Arrays:
        """Compute."""
        self.threads.append(threading.get_ident())
        return self._compute(feed)


def doubled(feed: Feed) -> Arrays:
    return {"y": feed["x"] * 2}


def fails_on_negatives(feed: Feed) -> Arrays:
    if (feed["x"] < 0).any():
        raise RunFailed("no negatives")
    return doubled(feed)


def fails_always(_feed: Feed) -> Arrays:
    raise RunFailed("the weights are gone")
