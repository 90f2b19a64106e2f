"""Large jobs are read in threads: until then they wait as all others do, no more and no longer."""

import threading

import pytest

from pointsman.manifest import Version
from pointsman_service.errors import InputInvalid, Overloaded, TimedOut
from pointsman_service.serving.pace import Pace
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays
from tests.service.fake_model import SAMPLE, FakeModel, doubled
from tests.service.jobs import HandMade, computing
from tests.service.patience import turns, until

pytestmark = pytest.mark.anyio


class HeldUp(HandMade):
    """A large job that is read when the test says so."""

    def __init__(self, row: float, error: Exception | None = None) -> None:
        super().__init__(row, size=1 << 20, error=error)
        self.let_go = threading.Event()
        self.begun = False

    def read(self) -> Arrays:
        """Read, once it may."""
        self.begun = True
        assert self.let_go.wait(150)
        return super().read()


async def test_what_is_being_read_counts_as_waiting(version: Version) -> None:
    served = Servable(version, FakeModel(doubled), SAMPLE, Pace({1: 0.0001}, 16))
    with computing(served, capacity=2) as inference:
        jobs = [HeldUp(1, InputInvalid("no")), HeldUp(2), HeldUp(3)]
        for job in jobs:
            inference.begin(job)
        small = HandMade(4)
        inference.begin(small)
        assert [job.finished for job in jobs] == [0, 0, 1]
        assert isinstance(jobs[2].failure, Overloaded)
        assert isinstance(small.failure, Overloaded)
        assert served.statistics.dropped == 2
        for job in jobs:
            job.let_go.set()
        await until(lambda: jobs[0].finished and jobs[1].finished)
        after = [HandMade(5), HandMade(6)]
        for each in after:
            inference.begin(each)
        await turns()
    assert jobs[1].answer == [4]
    assert [each.answer for each in after] == [[10], [12]]


async def test_a_deadline_ends_a_job_that_is_being_read_or_waits_for_that(
    version: Version,
) -> None:
    served = Servable(version, FakeModel(doubled), SAMPLE, Pace({1: 0.0001}, 16))
    with computing(served, timeout=0.01) as inference:
        reading, waiting = HeldUp(1), HeldUp(2)
        inference.begin(reading)
        inference.begin(waiting)
        await until(lambda: reading.finished and waiting.finished)
        assert isinstance(reading.failure, TimedOut)
        assert isinstance(waiting.failure, TimedOut)
        reading.let_go.set()
    assert not waiting.begun
    assert served.in_flight == 0
