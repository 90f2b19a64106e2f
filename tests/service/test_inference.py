"""The way of a job: where it is computed, with whom, and how it ends."""

import asyncio
import logging
import threading
from typing import Any

import numpy as np
import pytest

from pointsman.manifest import Version
from pointsman.registry import Registry
from pointsman.session import RunFailed
from pointsman_service.errors import (
    CallerLeft,
    InputInvalid,
    NotServing,
    Overloaded,
    TimedOut,
)
from pointsman_service.serving.pace import Pace
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays
from tests.service.fake_model import SAMPLE, Compute, FakeModel, Feed, doubled, fails_on_negatives
from tests.service.jobs import HandMade, computing
from tests.service.patience import turns, until
from tests.service.shelf import Shelf

pytestmark = pytest.mark.anyio

QUICK = {1: 0.0001, 2: 0.0001, 4: 0.0001, 8: 0.0001, 16: 0.0001}
SLOW = {1: 1.0, 2: 1.0, 4: 1.0}


class Counting(FakeModel):
    """A model that notes how many rows each of its runs had, and may be held up."""

    def __init__(self, compute: Compute = doubled) -> None:
        super().__init__(self._held)
        self._then = compute
        self.rows: list[int] = []
        self.let_go = threading.Event()
        self.let_go.set()

    def _held(self, feed: Feed) -> Arrays:
        self.rows.append(len(feed["x"]))
        assert self.let_go.wait(150)
        return self._then(feed)


@pytest.fixture
def version(shelf: Shelf) -> Version:
    """Some version's manifest."""
    return Registry(shelf.store).resolve("m", shelf.affine("v1", 2.0))


def servable(version: Version, model: Any, seconds: dict[int, float], most: int = 16) -> Servable:
    return Servable(version, model, SAMPLE, Pace(seconds, most))


async def test_what_is_read_in_one_turn_is_computed_in_one_run_on_the_loop(
    version: Version,
) -> None:
    model = Counting()
    jobs = [HandMade(n) for n in range(10)]
    with computing(servable(version, model, QUICK)) as inference:
        for job in jobs:
            inference.begin(job)
        assert model.rows == []
        await turns()
    assert model.rows == [10]
    assert [job.answer for job in jobs] == [[2.0 * n] for n in range(10)]
    assert model.threads == [threading.get_ident()]


def asking(caller: int, *rows: float) -> HandMade:
    job = HandMade(*rows)
    job.caller = caller
    return job


async def test_who_has_the_last_word_and_the_next_is_answered_at_once(version: Version) -> None:
    model = Counting()
    with computing(servable(version, model, QUICK)) as inference:
        jobs = [asking(7, n) for n in range(3)]
        inference.begin(jobs[0])
        await until(lambda: jobs[0].finished)
        for job in jobs[1:]:
            inference.begin(job)
            assert job.answer == [2.0 * job.x[0, 0]]
    assert model.rows == [1, 1, 1]
    assert [job.finished for job in jobs] == [1, 1, 1]


async def test_callers_who_take_turns_are_computed_together(version: Version) -> None:
    model = Counting()
    with computing(servable(version, model, QUICK)) as inference:
        for _ in range(3):
            jobs = [asking(caller, 1) for caller in (1, 2, 3)]
            for job in jobs:
                inference.begin(job)
            await until(lambda jobs=jobs: all(job.finished for job in jobs))  # type: ignore[misc]
    assert model.rows == [3, 3, 3]


async def test_nobody_overtakes_what_waits(version: Version) -> None:
    model = Counting()
    with computing(servable(version, model, QUICK)) as inference:
        jobs = [asking(caller, 1) for caller in (1, 2, 2)]
        for job in jobs:
            inference.begin(job)
        assert model.rows == []
        await until(lambda: all(job.finished for job in jobs))
    assert model.rows == [3]


async def test_who_asks_alone_still_gets_a_thread_from_a_slow_model(version: Version) -> None:
    model = Counting()
    with computing(servable(version, model, SLOW)) as inference:
        for _ in range(3):
            job = asking(7, 1)
            inference.begin(job)
            await until(lambda job=job: job.finished)  # type: ignore[misc]
    assert model.rows == [1, 1, 1]
    assert threading.get_ident() not in model.threads


async def test_a_deadline_is_looked_at_before_anything_is_computed(version: Version) -> None:
    model = Counting()
    with computing(servable(version, model, QUICK)) as inference:
        first, late = asking(7, 1), asking(7, 1)
        late.deadline = 0.0
        inference.begin(first)
        await until(lambda: first.finished)
        inference.begin(late)
        assert model.rows == [1]
        await until(lambda: late.finished)


async def test_a_run_has_no_more_rows_than_pay(version: Version) -> None:
    model = Counting()
    with computing(servable(version, model, {1: 0.0001, 2: 0.0001, 4: 0.0005}, 4)) as inference:
        jobs = [HandMade(n, n) for n in range(5)]
        for job in jobs:
            inference.begin(job)
        await until(lambda: all(job.finished for job in jobs))
    assert model.rows == [2] * 5


async def test_a_model_that_mixes_its_rows_computes_every_job_by_itself(version: Version) -> None:
    model = Counting()
    with computing(servable(version, model, QUICK, most=1)) as inference:
        jobs = [HandMade(n) for n in range(5)]
        for job in jobs:
            inference.begin(job)
        await until(lambda: all(job.finished for job in jobs))
    assert model.rows == [1] * 5


async def test_while_a_thread_computes_what_arrives_makes_the_next_batch(version: Version) -> None:
    model = Counting()
    model.let_go.clear()
    with computing(servable(version, model, SLOW)) as inference:
        first = HandMade(1)
        inference.begin(first)
        await until(lambda: model.rows)
        rest = [HandMade(n) for n in (2, 3, 4)]
        for job in rest:
            inference.begin(job)
        await turns()
        assert model.rows == [1]
        assert threading.get_ident() not in model.threads
        model.let_go.set()
        await until(lambda: all(job.finished for job in rest))
    assert model.rows == [1, 3]
    assert [job.answer for job in rest] == [[4], [6], [8]]


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


class Longer(HandMade):
    """A job whose rows are longer than any that was measured."""

    def read(self) -> Arrays:
        """Return each row a hundred times over."""
        return {"x": np.tile(super().read()["x"], 100)}


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


async def test_one_bad_input_in_a_batch_harms_nobody_else(version: Version) -> None:
    model = Counting(fails_on_negatives)
    served = servable(version, model, QUICK)
    good, bad, also_good = HandMade(1), HandMade(-1), HandMade(2, 3)
    with computing(served) as inference:
        for job in (good, bad, also_good):
            inference.begin(job)
        await turns()
    assert (good.answer, also_good.answer) == ([2], [4, 6])
    assert isinstance(bad.failure, InputInvalid)
    assert (served.statistics.requests, served.statistics.rejected) == (2, 1)
    assert served.in_flight == 0


async def test_outputs_that_are_not_one_row_each_are_noticed(version: Version) -> None:
    def summed(feed: Feed) -> Arrays:
        return {"y": feed["x"].sum(0, keepdims=True)}

    with computing(servable(version, Counting(summed), QUICK)) as inference:
        jobs = [HandMade(1), HandMade(2)]
        for job in jobs:
            inference.begin(job)
        await turns()
    assert [job.answer for job in jobs] == [[1], [2]]


async def test_a_caller_who_leaves_is_passed_over_and_its_batch_goes_on(version: Version) -> None:
    model = Counting()
    model.let_go.clear()
    served = servable(version, model, SLOW)
    with computing(served) as inference:
        running, leaving, staying = HandMade(1), HandMade(2), HandMade(3)
        inference.begin(running)
        await until(lambda: model.rows)
        for job in (leaving, staying):
            inference.begin(job)
        inference.end(leaving, CallerLeft("gone"))
        inference.end(running, CallerLeft("gone"))
        model.let_go.set()
        await until(lambda: staying.finished)
    assert model.rows == [1, 1]
    assert staying.answer == [6]
    assert (leaving.finished, running.finished) == (1, 1)
    assert (served.statistics.dropped, served.statistics.requests) == (2, 1)
    assert served.in_flight == 0


async def test_who_leaves_a_batch_that_is_being_computed_takes_nobody_along(
    version: Version,
) -> None:
    model = Counting()
    model.let_go.clear()
    with computing(servable(version, model, SLOW)) as inference:
        jobs = [HandMade(n) for n in range(4)]
        for job in jobs:
            inference.begin(job)
        await until(lambda: model.rows)
        inference.end(jobs[1], CallerLeft("gone"))
        model.let_go.set()
        await until(lambda: jobs[3].finished)
    assert model.rows == [4]
    assert [job.answer for job in jobs] == [[0], None, [4], [6]]
    assert [job.finished for job in jobs] == [1, 1, 1, 1]


async def test_more_jobs_than_may_wait_are_told_to_come_back(version: Version) -> None:
    model = Counting()
    model.let_go.clear()
    served = servable(version, model, SLOW)
    with computing(served, capacity=2) as inference:
        jobs = [HandMade(1)]
        inference.begin(jobs[0])
        await until(lambda: model.rows)
        for _ in range(3):
            jobs.append(HandMade(1))
            inference.begin(jobs[-1])
        assert isinstance(jobs[-1].failure, Overloaded)
        model.let_go.set()
        await until(lambda: all(job.finished for job in jobs))
    assert served.statistics.dropped == 1


async def test_a_quick_models_larger_requests_are_no_more_than_may_wait(version: Version) -> None:
    model = Counting()
    model.let_go.clear()
    served = Servable(version, model, SAMPLE, Pace(QUICK, 16, row_elements=4))
    with computing(served, capacity=2) as inference:
        jobs = [Longer(n) for n in range(5)]
        for job in jobs:
            inference.begin(job)
            await turns()
        assert [isinstance(job.failure, Overloaded) for job in jobs] == [False] * 3 + [True] * 2
        inference.end(jobs[1], CallerLeft("gone"))
        model.let_go.set()
        await until(lambda: all(job.finished for job in jobs))
        again = Longer(7)
        inference.begin(again)
        await until(lambda: again.finished)
    assert [job.answer for job in (jobs[0], jobs[2], again)] == [[0], [4], [14]]
    assert len(model.rows) == 3  # nothing for who had left


async def test_a_deadline_ends_a_job_that_waits_or_runs_and_its_late_answer_is_dropped(
    version: Version,
) -> None:
    model = Counting()
    model.let_go.clear()
    served = servable(version, model, SLOW)
    with computing(served) as inference:
        running, waiting = HandMade(1), HandMade(2)
        running.deadline = running.arrived + 0.01
        waiting.deadline = waiting.arrived + 0.01
        inference.begin(running)
        await until(lambda: model.rows)
        inference.begin(waiting)
        await until(lambda: running.finished and waiting.finished)
        assert isinstance(running.failure, TimedOut)
        assert isinstance(waiting.failure, TimedOut)
        model.let_go.set()
        await turns()
        last = HandMade(3)
        inference.begin(last)
        await until(lambda: last.finished)
    assert model.rows == [1, 1]
    assert running.finished == 1
    assert served.statistics.dropped == 2


async def test_the_services_own_timeout_is_for_all_jobs(version: Version) -> None:
    model = Counting()
    model.let_go.clear()
    with computing(servable(version, model, SLOW), timeout=0.01) as inference:
        patient = HandMade(1)
        patient.deadline = patient.arrived + 1000
        inference.begin(patient)
        await until(lambda: patient.finished)
        model.let_go.set()
    assert isinstance(patient.failure, TimedOut)


async def test_urgent_jobs_come_first(version: Version) -> None:
    order: list[float] = []

    def noting(feed: Feed) -> Arrays:
        order.append(float(feed["x"][0, 0]))
        return doubled(feed)

    model = Counting(noting)
    model.let_go.clear()
    with computing(servable(version, model, SLOW, most=1)) as inference:
        jobs = [HandMade(0), HandMade(1), HandMade(2)]
        jobs[2].priority = 1
        inference.begin(jobs[0])
        await until(lambda: model.rows)
        for job in jobs[1:]:
            inference.begin(job)
        model.let_go.set()
        await until(lambda: all(job.finished for job in jobs))
    assert order == [0, 2, 1]


async def test_only_equal_shapes_are_put_together(version: Version) -> None:
    model = Counting()
    with computing(servable(version, model, QUICK)) as inference:
        jobs = [HandMade(1), HandMade(2), HandMade(3), HandMade(4)]
        for job in jobs[1:3]:
            job.x = np.ones((1, 7), np.float32)
        for job in jobs:
            inference.begin(job)
        await until(lambda: all(job.finished for job in jobs))
    assert model.rows == [2, 2]
    assert [job.answer for job in jobs] == [[2], [2], [2], [8]]


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


@pytest.mark.parametrize("size", [0, 1 << 20])
async def test_what_cannot_be_read_ends_with_the_reason(version: Version, size: int) -> None:
    served = servable(version, Counting(), QUICK)
    with computing(served) as inference:
        job = HandMade(1, size=size, error=InputInvalid("no"))
        inference.begin(job)
        await until(lambda: job.finished)
    assert str(job.failure) == "no"
    assert (served.statistics.rejected, served.in_flight) == (1, 0)


async def test_without_a_version_a_job_ends_at_once(version: Version) -> None:
    with computing(servable(version, Counting(), QUICK)) as inference:
        inference._router.switch(None)
        job = HandMade(1)
        inference.begin(job)
    assert isinstance(job.failure, NotServing)
    assert not job.claimed


async def test_at_the_end_nobody_is_left_without_a_word(version: Version) -> None:
    model = Counting()
    model.let_go.clear()
    served = servable(version, model, SLOW)
    with computing(served) as inference:
        jobs = [HandMade(1), HandMade(2)]
        for job in jobs:
            inference.begin(job)
        await until(lambda: model.rows)
        assert inference.close() == 2
        model.let_go.set()
    assert all(isinstance(job.failure, NotServing) for job in jobs)


async def test_watchers_hear_of_every_answer_and_of_no_failure(version: Version) -> None:
    heard: list[object] = []
    model = Counting(fails_on_negatives)
    with computing(servable(version, model, QUICK)) as inference:
        inference.watchers.append(heard.append)
        good, bad = HandMade(1), HandMade(-1)
        inference.begin(good)
        inference.begin(bad)
        await turns()
    assert heard == [good]


class Unreachable(HandMade):
    """A job whose outcome cannot be handed over."""

    def finish(self, failure: BaseException | None) -> None:
        """Break, after all."""
        super().finish(failure)
        raise ConnectionError("nobody there")


@pytest.mark.parametrize("seconds", [QUICK, SLOW])
async def test_whoever_breaks_over_one_answer_leaves_the_others_theirs(
    version: Version, seconds: dict[int, float], caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_job: object) -> None:
        raise ZeroDivisionError

    heard: list[object] = []
    with computing(servable(version, Counting(), seconds)) as inference:
        inference.watchers += [breaks, heard.append]
        jobs = [HandMade(1), Unreachable(2), HandMade(3)]
        for job in jobs:
            inference.begin(job)
        await until(lambda: all(job.finished for job in jobs))
        again = HandMade(4)
        inference.begin(again)
        await until(lambda: again.finished)
    assert [job.answer for job in (*jobs, again)] == [[2], [4], [6], [8]]
    assert heard == [*jobs, again]
    assert [record.exc_info is not None for record in caplog.records] == [True] * 5


async def test_a_version_stays_loaded_until_its_last_run_is_over_whoever_still_waits(
    version: Version,
) -> None:
    model = Counting()
    model.let_go.clear()
    served = servable(version, model, SLOW)
    with computing(served) as inference:
        job = HandMade(1)
        inference.begin(job)
        await until(lambda: model.rows)
        inference.end(job, CallerLeft("gone"))
        assert served.in_flight == 0
        draining = asyncio.create_task(served.drain())
        await turns()
        assert not draining.done()
        with pytest.raises(RuntimeError, match="in use"):
            served.unload()
        model.let_go.set()
        await draining
        served.unload()


async def test_a_failure_that_nobody_expects_ends_its_own_job_only(
    version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)

    def breaks(feed: Feed) -> Arrays:
        if len(feed["x"]) == 1 and feed["x"][0, 0] == 2:
            raise ZeroDivisionError
        if len(feed["x"]) > 1:
            raise RunFailed("not together")
        return doubled(feed)

    with computing(servable(version, Counting(breaks), QUICK)) as inference:
        jobs = [HandMade(n) for n in (1, 2, 3)]
        for job in jobs:
            inference.begin(job)
        await turns()
        await asyncio.sleep(0)
    assert [job.answer for job in jobs] == [[2], None, [6]]
    assert isinstance(jobs[1].failure, ZeroDivisionError)


async def test_a_version_that_is_gone_is_forgotten_when_the_next_one_is_asked(
    version: Version,
) -> None:
    first, second = (servable(version, Counting(), QUICK) for _ in range(2))
    with computing(first) as inference:
        inference.begin(HandMade(1))
        await turns()
        inference._router.switch(second)
        await first.drain()
        first.unload()
        inference.begin(HandMade(1))
        await turns()
        assert list(inference._batchers) == [second]
