"""With whom a job is computed: what waits together is one run, of no more rows than pay."""

import threading

import numpy as np
import pytest

from pointsman.manifest import Version
from pointsman_service.tensors import Arrays
from tests.service.counting import QUICK, SLOW, Counting, servable
from tests.service.fake_model import Feed, doubled
from tests.service.jobs import HandMade, asking, computing
from tests.service.patience import turns, until

pytestmark = pytest.mark.anyio


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
    model = Counting(held=True)
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


async def test_outputs_that_are_not_one_row_each_are_noticed(version: Version) -> None:
    def summed(feed: Feed) -> Arrays:
        return {"y": feed["x"].sum(0, keepdims=True)}

    with computing(servable(version, Counting(summed), QUICK)) as inference:
        jobs = [HandMade(1), HandMade(2)]
        for job in jobs:
            inference.begin(job)
        await turns()
    assert [job.answer for job in jobs] == [[1], [2]]


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
