"""How a job ends that gets no answer: too late, too many, gone, or nobody there to compute it."""

import asyncio

import pytest

from pointsman.manifest import Version
from pointsman_service.errors import CallerLeft, NotServing, Overloaded, TimedOut
from pointsman_service.serving.pace import Pace
from pointsman_service.serving.servable import Servable
from tests.service.counting import QUICK, SLOW, Counting, servable
from tests.service.fake_model import SAMPLE
from tests.service.jobs import HandMade, Longer, asking, computing
from tests.service.patience import turns, until

pytestmark = pytest.mark.anyio


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


async def test_a_caller_who_leaves_is_passed_over_and_its_batch_goes_on(version: Version) -> None:
    model = Counting(held=True)
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
    model = Counting(held=True)
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
    model = Counting(held=True)
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
    model = Counting(held=True)
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
    model = Counting(held=True)
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
    model = Counting(held=True)
    with computing(servable(version, model, SLOW), timeout=0.01) as inference:
        patient = HandMade(1)
        patient.deadline = patient.arrived + 1000
        inference.begin(patient)
        await until(lambda: patient.finished)
        model.let_go.set()
    assert isinstance(patient.failure, TimedOut)


async def test_without_a_version_a_job_ends_at_once(version: Version) -> None:
    with computing(servable(version, Counting(), QUICK)) as inference:
        inference._router.switch(None)
        job = HandMade(1)
        inference.begin(job)
    assert isinstance(job.failure, NotServing)
    assert not job.claimed


async def test_at_the_end_nobody_is_left_without_a_word(version: Version) -> None:
    model = Counting(held=True)
    served = servable(version, model, SLOW)
    with computing(served) as inference:
        jobs = [HandMade(1), HandMade(2)]
        for job in jobs:
            inference.begin(job)
        await until(lambda: model.rows)
        assert inference.close() == 2
        model.let_go.set()
    assert all(isinstance(job.failure, NotServing) for job in jobs)


async def test_a_version_stays_loaded_until_its_last_run_is_over_whoever_still_waits(
    version: Version,
) -> None:
    model = Counting(held=True)
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
