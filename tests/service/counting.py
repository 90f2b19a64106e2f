"""A model that counts the rows of its runs, and servables whose pace is known."""

import threading
from typing import Any

from pointsman.manifest import Version
from pointsman_service.serving.pace import Pace
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays
from tests.service.fake_model import SAMPLE, Compute, FakeModel, Feed, doubled

QUICK = {1: 0.0001, 2: 0.0001, 4: 0.0001, 8: 0.0001, 16: 0.0001}
SLOW = {1: 1.0, 2: 1.0, 4: 1.0}


class Counting(FakeModel):
    """A model that notes how many rows each of its runs had, and may be held up."""

    def __init__(self, compute: Compute = doubled, *, held: bool = False) -> None:
        super().__init__(self._held)
        self._then = compute
        self.rows: list[int] = []
        self.let_go = threading.Event()
        if not held:
            self.let_go.set()

    def _held(self, feed: Feed) -> Arrays:
        self.rows.append(len(feed["x"]))
        assert self.let_go.wait(150)
        return self._then(feed)


def servable(version: Version, model: Any, seconds: dict[int, float], most: int = 16) -> Servable:
    return Servable(version, model, SAMPLE, Pace(seconds, most))
