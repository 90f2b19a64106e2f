"""The queue before a model: who may wait in it, and that nobody is counted who does not."""

import pytest

from pointsman_service.errors import Overloaded
from pointsman_service.serving.batcher import Batcher
from pointsman_service.serving.pace import Pace
from tests.service.jobs import HandMade


def jobs(batcher: Batcher, count: int) -> list[HandMade]:
    """Let jobs wait, each second one urgent."""
    added = []
    for number in range(count):
        job = HandMade(number)
        job.rows = 1
        job.shape = (4,)
        job.priority -= number % 2
        batcher.add(job)
        added.append(job)
    return added


@pytest.fixture
def batcher() -> Batcher:
    """A queue for four."""
    return Batcher(Pace({1: 0.001, 4: 0.001}, 4), 4)


def test_who_has_left_keeps_no_place(batcher: Batcher) -> None:
    waiting = jobs(batcher, 4)
    with pytest.raises(Overloaded, match="4 requests are waiting already"):
        jobs(batcher, 1)
    for job in waiting[:3]:
        job.ended = True
    arrived = jobs(batcher, 3)
    assert len(batcher) == 4
    with pytest.raises(Overloaded):
        batcher.expect()
    taken = batcher.take() + batcher.take()
    assert set(taken) == {waiting[3], *arrived}
    assert len(batcher) == 0
    assert batcher.take() == []


def test_when_all_have_left_there_is_room_for_as_many(batcher: Batcher) -> None:
    for job in jobs(batcher, 4):
        job.ended = True
    assert len(jobs(batcher, 4)) == 4


def test_those_being_read_keep_their_places_until_they_arrive(batcher: Batcher) -> None:
    for _ in range(4):
        batcher.expect()
    with pytest.raises(Overloaded):
        jobs(batcher, 1)
    batcher.arrived(None)
    assert len(jobs(batcher, 1)) == 1
    with pytest.raises(Overloaded):
        batcher.expect()
