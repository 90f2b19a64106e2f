"""What goes wrong with one job is that job's own: the others get their answers."""

import asyncio
import logging

import pytest

from pointsman.manifest import Version
from pointsman.session import RunFailed
from pointsman_service.errors import InputInvalid
from pointsman_service.tensors import Arrays
from tests.service.counting import QUICK, SLOW, Counting, servable
from tests.service.fake_model import Feed, doubled, fails_on_negatives
from tests.service.jobs import HandMade, computing
from tests.service.patience import turns, until

pytestmark = pytest.mark.anyio


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


@pytest.mark.parametrize("size", [0, 1 << 20])
async def test_what_cannot_be_read_ends_with_the_reason(version: Version, size: int) -> None:
    served = servable(version, Counting(), QUICK)
    with computing(served) as inference:
        job = HandMade(1, size=size, error=InputInvalid("no"))
        inference.begin(job)
        await until(lambda: job.finished)
    assert str(job.failure) == "no"
    assert (served.statistics.rejected, served.in_flight) == (1, 0)


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
