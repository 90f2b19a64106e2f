"""While nobody asks, an instance that may rest sends nothing; the next request wakes it."""

import asyncio

import pytest

from pointsman_service.serving.activity import Activity
from pointsman_service.serving.residents import Residents
from pointsman_service.serving.router import Router
from tests.service.in_process import InProcess, Surroundings, serving
from tests.service.managed import Managed
from tests.service.patience import turns, until

pytestmark = pytest.mark.anyio

RESTING = {"POINTSMAN_POLLING": "while-active", "POINTSMAN_IDLE_SECONDS": "0.05"}


async def said(service: InProcess, *statuses: str) -> None:
    """Wait until an instance has told the fleet one of these of itself."""

    def is_said() -> bool:
        beat = service.surroundings.heartbeat
        return beat is not None and beat.status in statuses

    await until(is_said)


async def asleep(service: InProcess) -> None:
    """Wait until an instance rests, and has said so."""
    await said(service, "asleep")


async def test_at_rest_neither_the_channel_is_read_nor_a_heartbeat_written(
    surroundings: Surroundings,
) -> None:
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
    async with serving(surroundings, POINTSMAN_HEARTBEAT_SECONDS="0.01", **RESTING) as service:
        await asleep(service)
        sent = len(surroundings.models.calls), len(surroundings.fleet.calls)
        surroundings.shelf.activate(surroundings.shelf.affine("v2", 3.0))
        here = len(surroundings.models.calls)
        status, body = await service.health()
        assert (status, body["version"]) == (200, "v1"), "probes do not wake it"
        await asyncio.sleep(0.3)  # which is enough for thirty polls and thirty beats
        # What was under way when it went to rest may still have been finished.
        assert len(surroundings.fleet.calls) < sent[1] + 5
        assert len(surroundings.models.calls) < here + 5


async def test_the_first_request_is_answered_at_once_and_the_channel_looked_at(
    surroundings: Surroundings,
) -> None:
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
    async with serving(surroundings, **RESTING) as service:
        await asleep(service)
        surroundings.shelf.activate(surroundings.shelf.affine("v2", 3.0))
        with surroundings.models.holding("get") as hold:
            answer = await service.predict([[1, 2, 3, 4]])
            assert answer.headers["x-model-version"] == "v1", "the store still holds its answer"
            await until(hold.reached.is_set)
        await service.until_serving("v2")


async def test_waking_and_resting_are_told_to_the_fleet(surroundings: Surroundings) -> None:
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
    async with serving(surroundings, **RESTING) as service:
        await asleep(service)
        for _ in range(2):
            # While the look at the channel is held, nobody can go to rest again.
            with surroundings.models.holding("get"):
                await service.predict([[1, 2, 3, 4]])
                await said(service, "ok", "degraded")
            await asleep(service)


async def test_unless_it_is_told_to_an_instance_never_rests(served: InProcess) -> None:
    assert not served.service.activity._idle()
    served.service.activity._active_at -= 10**6
    assert not served.service.activity._idle()


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


async def test_only_time_without_requests_counts(managed: Managed) -> None:
    clock = Clock()
    activity = Activity(managed.router, managed.manager.residents, lambda: None, 60.0, clock)
    clock.now = 1000.0
    assert not activity._idle(), "there is nothing yet that could answer"
    managed.manager.aspire(managed.shelf.aspired(managed.shelf.affine("v1", 1.0)))
    await managed.until_observed(1)
    served = managed.router.stable
    assert served is not None
    found = []
    for seconds, more in ((59, 0), (1, 1), (59, 0), (30, 1), (59, 0), (2, 0)):
        clock.now += seconds
        served.statistics.rejected += more
        found.append(activity._idle())
    assert found == [False, False, False, False, False, True]


async def test_a_request_that_takes_long_is_activity(managed: Managed) -> None:
    clock = Clock()
    activity = Activity(managed.router, managed.manager.residents, lambda: None, 60.0, clock)
    managed.manager.aspire(managed.shelf.aspired(managed.shelf.affine("v1", 1.0)))
    await managed.until_observed(1)
    with managed.router.claim():
        clock.now = 1000.0
        assert not activity._idle()


async def test_an_end_while_it_rests_is_an_end() -> None:
    clock, router = Clock(), Router()
    activity = Activity(router, Residents(lambda: None), lambda: None, 60.0, clock)
    activity._idle = lambda: True  # type: ignore[method-assign]
    resting = asyncio.create_task(activity.rest())
    await turns()
    assert activity.asleep
    resting.cancel()
    await asyncio.gather(resting, return_exceptions=True)
    assert not activity.asleep
