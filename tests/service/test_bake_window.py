"""After a switch the new version is watched, and left at once if it is worse."""

import time
from functools import partial

import numpy as np
import pytest

from pointsman import quarantine
from pointsman.channel import Pointer
from pointsman_service.serving.bake_window import State
from tests.service.in_process import InProcess, Surroundings, serving
from tests.service.managed import Managed
from tests.service.patience import turns, until

pytestmark = pytest.mark.anyio

FEED = {"x": np.ones((1, 4), np.float32)}
ODD = {"y": np.full((1, 4), np.nan, np.float32)}


async def switched(managed: Managed) -> tuple[Pointer, Pointer]:
    """Serve v2, and before it v1; return both."""
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)
    managed.manager.aspire(managed.shelf.aspired(v1, v2))
    await managed.until_observed(2)
    return v1, v2


def answer_badly(managed: Managed, times: int = 50) -> None:
    stable = managed.router.stable
    assert stable is not None
    for _ in range(times):
        stable.looks.look(FEED, ODD)


async def test_a_worse_version_is_left_and_the_old_one_serves_for_this_generation(
    managed: Managed,
) -> None:
    await switched(managed)
    manager, bake = managed.manager, managed.manager.bake
    assert bake.verdict is not None
    assert (bake.verdict.version, bake.verdict.state) == ("v2", State.WATCHING)
    answer_badly(managed)
    bake.look()
    assert managed.serving == "v1"
    assert bake.verdict.state is State.RETURNED
    assert manager.refusal is not None
    assert manager.refusal.generation == manager.observed_generation == 2
    assert manager.refusal.reason.startswith("v2 was left again: 100 % of 50 answers held NaN")
    assert (manager.counters.returns, manager.counters.rollbacks) == (1, 0)
    await until(lambda: managed.states == {"v1": "ready", "v2": "unloaded"})
    assert manager._aspired is not None
    manager.aspire(manager._aspired)
    await until(lambda: not manager._wake.is_set())
    await turns()
    assert managed.serving == "v1", "announced again, it is still refused"
    assert manager.loading is None


async def test_a_version_that_was_left_is_tried_again_in_a_new_generation(
    managed: Managed,
) -> None:
    v1, v2 = await switched(managed)
    answer_badly(managed)
    managed.manager.bake.look()
    managed.manager.aspire(managed.shelf.aspired(v1, v2, v1, v2))
    await managed.until_observed(4)
    assert managed.serving == "v2"
    assert managed.manager.refusal is None


async def test_a_version_that_does_as_well_passes_when_the_time_is_over(managed: Managed) -> None:
    await switched(managed)
    bake = managed.manager.bake
    assert bake.verdict is not None
    states = []
    for year in (bake.verdict.until.year, 2000):
        bake.verdict.until = bake.verdict.until.replace(year=year)
        bake.look()
        states.append(bake.verdict.state)
    assert states == [State.WATCHING, State.PASSED]
    answer_badly(managed)
    bake.look()
    assert managed.serving == "v2", "nobody watches it any more"


async def test_neither_the_first_version_nor_a_rollback_is_watched(managed: Managed) -> None:
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)
    assert managed.manager.bake.verdict is None
    managed.manager.aspire(managed.shelf.rolled_back(v1, v2))
    await managed.until_observed(3)
    assert managed.manager.bake.verdict is None


async def test_a_rollback_in_the_window_ends_it(managed: Managed) -> None:
    v1, v2 = await switched(managed)
    managed.manager.aspire(managed.shelf.rolled_back(v1, v2))
    await managed.until_observed(3)
    answer_badly(managed)
    managed.manager.bake.look()
    assert managed.serving == "v1"
    assert managed.manager.refusal is None


async def test_a_verdict_goes_with_the_version_it_was_about(managed: Managed) -> None:
    v1, v2 = await switched(managed)
    answer_badly(managed)
    managed.manager.bake.look()
    assert managed.manager.bake.verdict is not None
    v3 = managed.shelf.affine("v3", 3.0)
    managed.manager.aspire(managed.shelf.aspired(v1, v2, v3))
    await managed.until_observed(3)
    verdict = managed.manager.bake.verdict
    assert verdict is not None
    assert (verdict.version, verdict.state) == ("v3", State.WATCHING)
    managed.manager.aspire(managed.shelf.rolled_back(v1, v2, v3))
    await managed.until_observed(4)
    assert managed.manager.bake.verdict is None, "nobody watches a rollback"


async def test_with_nothing_to_go_back_to_the_version_stays_and_it_is_said(
    managed: Managed,
) -> None:
    await switched(managed)
    bake = managed.manager.bake
    managed.manager._previous = None
    answer_badly(managed)
    bake.look()
    assert managed.serving == "v2"
    assert bake.verdict is not None
    assert "there is nothing in memory to go back to" in bake.verdict.reason


async def test_a_version_that_is_slower_for_some_seconds_on_end_is_left(
    managed: Managed,
) -> None:
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)
    answer_in(managed, 0.001)
    managed.manager.aspire(managed.shelf.aspired(v1, v2))
    await managed.until_observed(2)
    begun = time.monotonic()
    found = []
    for stretch in range(1, 6):
        answer_in(managed, 0.5)
        managed.manager.bake._clock = partial(float, begun + 2.1 * stretch)
        managed.manager.bake.look()
        found.append(managed.serving)
    assert found == ["v2", "v2", "v2", "v2", "v1"]
    assert managed.manager.refusal is not None
    assert "p99 is 500 ms, and was 1 ms" in managed.manager.refusal.reason


def answer_in(managed: Managed, seconds: float, times: int = 100) -> None:
    stable = managed.router.stable
    assert stable is not None
    for _ in range(times):
        stable.statistics.answered(1, 0.0, seconds, seconds)


@pytest.fixture
async def baking(surroundings: Surroundings) -> None:
    """A channel that serves v1."""
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))


async def switch_and_fail(service: InProcess) -> str:
    """Switch to v2, let it answer badly to many, and return its digest once it was left."""
    shelf = service.surroundings.shelf
    await service.until_serving("v1")
    v2 = shelf.affine("v2", float("nan"))
    shelf.activate(v2)
    await service.until_serving("v2")
    for number in range(25):
        answer = await service.predict([[number, 2, 3, 4]])
        assert answer.status_code == 200
    await until(lambda: service.service.manager.counters.returns == 1)
    return v2.digest


@pytest.mark.usefixtures("baking")
async def test_a_service_goes_back_by_itself_and_says_so_everywhere(
    surroundings: Surroundings,
) -> None:
    async with serving(surroundings) as service:
        digest = await switch_and_fail(service)
        status, body = await service.health()
        assert (status, body["status"], body["version"]) == (200, "degraded", "v1")
        assert "held NaN or infinity" in body["reason"]
        assert body["bake"]["state"] == "returned"
        answer = await service.predict([[1, 2, 3, 4]])
        assert answer.headers["x-model-version"] == "v1"

        def told() -> bool:
            beat = surroundings.heartbeat
            return bool(beat and beat.bake and beat.bake.state == "returned")

        await until(told)
        beat = surroundings.heartbeat
        assert beat is not None
        assert (beat.serving, beat.observed_generation) == ("v1", 2)
        assert "v2 was left again" in beat.refused
        metrics = (await service.client.get("/metrics")).text
        assert "pointsman_returns_total 1.0" in metrics
        assert 'pointsman_nonfinite_total{model="m",version="v2"}' in metrics
        assert quarantine.find(surroundings.models, "m", digest) is None, "nobody allowed it"


@pytest.mark.usefixtures("baking")
async def test_where_it_may_it_keeps_the_rest_of_the_fleet_from_trying(
    surroundings: Surroundings,
) -> None:
    async with serving(surroundings, POINTSMAN_QUARANTINE="true") as service:
        digest = await switch_and_fail(service)
        await until(lambda: quarantine.find(surroundings.models, "m", digest))
        mark = quarantine.find(surroundings.models, "m", digest)
        assert mark is not None
        assert (mark.version, mark.by) == ("v2", "tested")
        assert "held NaN or infinity" in mark.why
    for cache in ("other-cache", "cache"):  # a new machine, and the same one once more
        variables = {"POINTSMAN_CACHE_DIR": str(surroundings.directory / cache)}
        async with serving(surroundings, **variables) as other:
            await other.until_serving("v1")
            status, body = await other.health()
            assert (status, body["status"]) == (200, "degraded")
            assert "v2 was put in quarantine by tested" in body["reason"]


@pytest.mark.usefixtures("baking")
async def test_without_a_window_nothing_is_watched(surroundings: Surroundings) -> None:
    async with serving(surroundings, POINTSMAN_BAKE_SECONDS="0") as service:
        await service.until_serving("v1")
        surroundings.shelf.activate(surroundings.shelf.affine("v2", float("nan")))
        await service.until_serving("v2")
        assert service.service.manager.bake.verdict is None
