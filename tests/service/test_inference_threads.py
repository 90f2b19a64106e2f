"""Where a job is read and computed: on the loop if that is quick, else in a thread."""

import threading

import pytest

from pointsman.manifest import Version
from pointsman_service.serving.pace import ALONE_SECONDS, Pace
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays
from tests.service.counting import QUICK, SLOW, Counting, servable
from tests.service.fake_model import SAMPLE, FakeModel, doubled
from tests.service.jobs import HandMade, Longer, asking, computing
from tests.service.patience import until

pytestmark = pytest.mark.anyio


async def test_who_asks_alone_still_gets_a_thread_from_a_slow_model(version: Version) -> None:
    model = Counting()
    with computing(servable(version, model, SLOW)) as inference:
        for _ in range(3):
            job = asking(7, 1)
            inference.begin(job)
            await until(lambda job=job: job.finished)  # type: ignore[misc]
    assert model.rows == [1, 1, 1]
    assert threading.get_ident() not in model.threads


async def test_who_has_been_alone_for_long_is_spared_the_thread_until_somebody_else_asks(
    version: Version,
) -> None:
    model = Counting()
    callers = [7] * 10 + [8, 7]
    with computing(servable(version, model, {1: ALONE_SECONDS / 2})) as inference:
        for caller in callers:
            job = asking(caller, 1)
            inference.begin(job)
            await until(lambda job=job: job.finished)  # type: ignore[misc]
    here = [thread == threading.get_ident() for thread in model.threads]
    assert here == [False] * 8 + [True] * 2 + [False] * 2


async def test_a_model_that_turns_out_slow_leaves_the_loop_and_comes_back_when_it_is_quick(
    version: Version,
) -> None:
    model = Counting()
    served = servable(version, model, {1: 0.0001}, most=1)
    with computing(served) as inference:
        for _ in range(20):
            served.pace.observed(1, 0.1)
        slow = HandMade(1)
        inference.begin(slow)
        await until(lambda: slow.finished)
        for _ in range(100):
            served.pace.observed(1, 0.0001)
        quick = HandMade(1)
        inference.begin(quick)
        await until(lambda: quick.finished)
    assert model.threads[0] != threading.get_ident()
    assert model.threads[1] == threading.get_ident()


async def test_rows_that_are_larger_than_any_that_was_quick_leave_the_loop(
    version: Version,
) -> None:
    model = FakeModel(doubled)
    served = Servable(version, model, SAMPLE, Pace(QUICK, 16, row_elements=4))
    with computing(served) as inference:
        for job in (HandMade(1), Longer(2), HandMade(3)):
            inference.begin(job)
            await until(lambda job=job: job.finished)  # type: ignore[misc]
            assert job.answer == [2 * job.x[0, 0]]
    here = threading.get_ident()
    assert [thread == here for thread in model.threads] == [True, False, True]


async def test_so_they_do_for_one_who_asks_alone(version: Version) -> None:
    model = FakeModel(doubled)
    served = Servable(version, model, SAMPLE, Pace(QUICK, 16, row_elements=4))
    with computing(served) as inference:
        for job in (HandMade(1), HandMade(2), Longer(3)):
            job.caller = 7
            inference.begin(job)
            await until(lambda job=job: job.finished)  # type: ignore[misc]
    here = threading.get_ident()
    assert [thread == here for thread in model.threads] == [True, True, False]


async def test_large_bodies_are_read_in_a_thread(version: Version) -> None:
    threads = []

    class Large(HandMade):
        def read(self) -> Arrays:
            threads.append(threading.get_ident())
            return super().read()

    with computing(servable(version, Counting(), QUICK)) as inference:
        small, large = Large(1), Large(2, size=1 << 20)
        for job in (small, large):
            inference.begin(job)
        await until(lambda: small.finished and large.finished)
    assert threads[0] == threading.get_ident()
    assert threads[1] != threading.get_ident()
    assert large.answer == [4]
