"""Bringing what is served in line with what is aspired, without ever serving less than before."""

import pytest

from tests.service.managed import Managed
from tests.service.patience import until

pytestmark = pytest.mark.anyio


async def test_what_is_aspired_is_loaded_and_served(managed: Managed) -> None:
    managed.manager.aspire(managed.shelf.aspired(managed.shelf.affine("v1", 1.0)))
    await managed.until_observed(1)
    assert managed.serving == "v1"
    assert managed.changes > 0
    assert managed.manager.counters.loads == 1
    assert managed.manager.counters.switches == 0, "the first one replaces nothing"


async def test_the_old_version_serves_until_the_new_one_is_ready(managed: Managed) -> None:
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)
    with managed.store.holding("get_range") as hold:
        managed.manager.aspire(managed.shelf.aspired(v1, v2))
        await until(hold.reached.is_set)
        assert managed.serving == "v1"
        assert managed.loading == "v2"
    await managed.until_observed(2)
    assert managed.serving == "v2"
    assert managed.loading == ""
    assert managed.manager.counters.switches == 1


async def test_a_version_overtaken_while_it_loads_never_serves_and_does_not_stay(
    managed: Managed,
) -> None:
    v1, v2, v3 = (managed.shelf.affine(f"v{factor}", factor) for factor in (1, 2, 3))
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)
    with managed.store.holding("get_range") as hold:
        managed.manager.aspire(managed.shelf.aspired(v1, v2))
        await until(hold.reached.is_set)
        managed.manager.aspire(managed.shelf.aspired(v1, v2, v3))
    await managed.until_observed(3)
    await until(lambda: managed.states["v2"] == "unloaded")
    assert managed.states == {"v1": "ready", "v3": "ready", "v2": "unloaded"}
    assert managed.serving == "v3"
    assert managed.manager.counters.switches == 1


async def test_an_overtaken_version_does_not_stay_when_the_newer_one_is_refused(
    managed: Managed,
) -> None:
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    broken = managed.shelf.affine("v3", 3.0, golden_factor=4.0)
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)
    with managed.store.holding("get_range") as hold:
        managed.manager.aspire(managed.shelf.aspired(v1, v2))
        await until(hold.reached.is_set)
        managed.manager.aspire(managed.shelf.aspired(v1, v2, broken))
    await managed.until_observed(3)
    await until(lambda: managed.states == {"v1": "ready", "v2": "unloaded"})
    assert managed.serving == "v1"


async def test_an_overtaken_version_serves_meanwhile_if_nothing_else_does(
    managed: Managed,
) -> None:
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    with managed.store.holding("get_range") as hold:
        managed.manager.aspire(managed.shelf.aspired(v1))
        await until(hold.reached.is_set)
        managed.manager.aspire(managed.shelf.aspired(v1, v2))
        hold.released.set()
        await until(lambda: managed.serving)
    await managed.until_observed(2)
    assert managed.serving == "v2"


async def test_going_back_while_a_version_loads_leaves_what_serves_alone(managed: Managed) -> None:
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)
    served = managed.router.stable
    with managed.store.holding("get_range") as hold:
        managed.manager.aspire(managed.shelf.aspired(v1, v2))
        await until(hold.reached.is_set)
        managed.manager.aspire(managed.shelf.rolled_back(v1, v2))
    await managed.until_observed(3)
    assert managed.router.stable is served
    await until(lambda: managed.states == {"v1": "ready", "v2": "unloaded"})


async def test_the_previous_version_stays_and_older_ones_go(managed: Managed) -> None:
    pointers = [managed.shelf.affine(f"v{factor}", factor) for factor in (1, 2, 3)]
    for count in (1, 2, 3):
        managed.manager.aspire(managed.shelf.aspired(*pointers[:count]))
        await managed.until_observed(count)
    await until(lambda: managed.states == {"v2": "ready", "v3": "ready", "v1": "unloaded"})
    assert managed.manager.rollback_readiness == "resident"


async def test_going_back_to_the_previous_version_loads_nothing(managed: Managed) -> None:
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)
    managed.manager.aspire(managed.shelf.aspired(v1, v2))
    await managed.until_observed(2)
    managed.store.calls.clear()
    managed.store.reachable = False
    managed.manager.aspire(managed.shelf.rolled_back(v1, v2))
    await managed.until_observed(3)
    assert managed.serving == "v1"
    assert managed.store.calls == []
    assert (managed.manager.counters.loads, managed.manager.counters.rollbacks) == (2, 1)


async def test_a_version_in_use_is_unloaded_only_when_its_last_request_is_answered(
    managed: Managed,
) -> None:
    pointers = [managed.shelf.affine(f"v{factor}", factor) for factor in (1, 2, 3)]
    managed.manager.aspire(managed.shelf.aspired(pointers[0]))
    await managed.until_observed(1)
    with managed.router.claim():
        for count in (2, 3):
            managed.manager.aspire(managed.shelf.aspired(*pointers[:count]))
            await managed.until_observed(count)
        await until(lambda: managed.states["v1"] == "draining")
        assert managed.serving == "v3"
    await until(lambda: managed.states["v1"] == "unloaded")


async def test_readiness_is_told_while_the_aspired_version_is_refused(managed: Managed) -> None:
    """That is when somebody asks."""
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0, golden_factor=3.0)
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)
    assert managed.manager.rollback_readiness == ""
    managed.manager.aspire(managed.shelf.aspired(v1, v2))
    await managed.until_observed(2)
    await until(lambda: managed.manager.rollback_readiness == "resident")


@pytest.mark.parametrize(
    ("prepared", "readiness"), [("nothing", "download"), ("cached", "on disk")]
)
async def test_readiness_tells_how_a_rollback_would_find_its_version(
    managed: Managed, prepared: str, readiness: str
) -> None:
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    if prepared == "cached":
        await managed.manager._loader.load(v1)
    managed.manager.aspire(managed.shelf.aspired(v1, v2))
    await managed.until_observed(2)
    await until(lambda: managed.manager.rollback_readiness == readiness)
