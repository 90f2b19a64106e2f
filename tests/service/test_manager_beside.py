"""Canary and shadow: loaded and proven like the stable version, and never in its way."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pointsman import channel as channels
from pointsman import rollout
from pointsman.channel import Author, Channel, Pointer
from pointsman_service.serving.roles import Role
from tests import models
from tests.service.managed import Managed
from tests.service.patience import until

pytestmark = pytest.mark.anyio

Change = Callable[[Channel, Author], Channel]


def canary(pointer: Pointer, weight: int = 100) -> Change:
    return lambda now, author: rollout.start(now, pointer, weight, author)


def shadow(pointer: Pointer, percent: int = 100) -> Change:
    return lambda now, author: rollout.shadow(now, pointer, percent, author)


async def test_a_canary_gets_requests_once_it_is_proven(managed: Managed) -> None:
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0, golden_factor=2.0)
    before = managed.shelf.aspired(v1)
    managed.manager.aspire(before)
    await managed.until_observed(1)
    with managed.store.holding("get_range") as hold:
        managed.manager.aspire(managed.shelf.then(before, canary(v2)))
        await until(hold.reached.is_set)
        assert managed.router.canary is None
        assert managed.manager.observed_generation == 1, "the canary is not dealt with yet"
    await managed.until_observed(2)
    assert managed.serving == "v1"
    with managed.router.claim(b"anybody") as claimed:
        assert claimed.name == "v2"
    assert {managed.manager.role(each) for each in managed.manager.residents} == {
        Role.STABLE,
        Role.CANARY,
    }


async def test_a_canary_that_fails_gets_no_request_and_stable_goes_on(managed: Managed) -> None:
    v1, broken = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0, golden_factor=3.0)
    before = managed.shelf.aspired(v1)
    managed.manager.aspire(managed.shelf.then(before, canary(broken)))
    await managed.until_observed(2)
    assert managed.router.canary is None
    with managed.router.claim(b"anybody") as claimed:
        assert claimed.name == "v1"
    refused = managed.manager.refused_beside[Role.CANARY]
    assert (refused.pointer.version, refused.generation) == ("v2", 2)
    assert "golden set" in refused.reason
    assert managed.manager.refusal is None


async def test_a_refused_canary_is_tried_again_when_the_channel_moves_and_forgotten_when_it_ends(
    managed: Managed,
) -> None:
    v1, broken = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0, golden_factor=3.0)
    started = managed.shelf.then(managed.shelf.aspired(v1), canary(broken, 5))
    managed.manager.aspire(started)
    await managed.until_observed(2)
    moved = managed.shelf.then(started, lambda now, author: rollout.set_weight(now, 10, author))
    managed.manager.aspire(moved)
    await managed.until_observed(3)
    assert managed.manager.counters.failed_loads == 2
    managed.manager.aspire(managed.shelf.then(moved, rollout.abort))
    await managed.until_observed(4)
    assert managed.manager.refused_beside == {}


async def test_promoting_loads_nothing_and_the_old_version_stays(managed: Managed) -> None:
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    started = managed.shelf.then(managed.shelf.aspired(v1), canary(v2, 5))
    managed.manager.aspire(started)
    await managed.until_observed(2)
    managed.store.reachable = False
    managed.manager.aspire(managed.shelf.then(started, rollout.promote))
    await managed.until_observed(3)
    assert managed.serving == "v2"
    assert managed.router.canary is None
    assert managed.states == {"v1": "ready", "v2": "ready"}
    assert managed.manager.counters.loads == 2


async def test_an_aborted_canary_gets_no_more_requests_and_is_unloaded(managed: Managed) -> None:
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    started = managed.shelf.then(managed.shelf.aspired(v1), canary(v2))
    managed.manager.aspire(started)
    await managed.until_observed(2)
    managed.manager.aspire(managed.shelf.then(started, rollout.abort))
    await managed.until_observed(3)
    with managed.router.claim(b"anybody") as claimed:
        assert claimed.name == "v1"
    await until(lambda: managed.states == {"v1": "ready", "v2": "unloaded"})


async def test_a_shadow_is_loaded_and_never_asked_by_clients(managed: Managed) -> None:
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    managed.manager.aspire(managed.shelf.then(managed.shelf.aspired(v1), shadow(v2)))
    await managed.until_observed(2)
    assert managed.manager.mirror.servable is not None
    assert managed.manager.mirror.servable.name == "v2"
    for key in (b"a", b"b", b"c"):
        with managed.router.claim(key) as claimed:
            assert claimed.name == "v1"


async def test_a_rollback_does_not_wait_for_a_shadow_that_is_being_fetched(
    managed: Managed,
) -> None:
    v1, v2, v3 = (managed.shelf.affine(f"v{factor}", factor) for factor in (1, 2, 3))
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)
    served = managed.shelf.aspired(v1, v2)
    managed.manager.aspire(served)
    await managed.until_observed(2)
    with managed.store.holding("get_range") as hold:
        shown = managed.shelf.then(served, shadow(v3))
        managed.manager.aspire(shown)
        await until(hold.reached.is_set)
        managed.manager.aspire(managed.shelf.then(shown, back))
        await managed.until_observed(4)
        assert managed.serving == "v1"
        assert managed.loading == "v3"
    await until(lambda: managed.manager.mirror.servable is not None)


async def test_a_rollback_does_not_wait_for_a_canary_that_is_being_fetched(
    managed: Managed,
) -> None:
    """It ends the canary, and what was being fetched for nothing does not stay."""
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    before = managed.shelf.aspired(v1)
    managed.manager.aspire(before)
    await managed.until_observed(1)
    with managed.store.holding("get_range") as hold:
        started = managed.shelf.then(before, canary(v2))
        managed.manager.aspire(started)
        await until(hold.reached.is_set)
        managed.manager.aspire(managed.shelf.then(started, rollout.abort))
        await managed.until_observed(3)
    await until(lambda: managed.states == {"v1": "ready", "v2": "unloaded"})


async def test_a_broken_stable_version_and_a_good_canary_are_judged_apart(
    managed: Managed, tmp_path: Path
) -> None:
    v1 = managed.shelf.affine("v1", 1.0)
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)
    broken = managed.shelf.put("v2", models.never_loads(tmp_path / "broken.onnx"))
    moved = managed.shelf.aspired(v1, broken)
    managed.manager.aspire(managed.shelf.then(moved, canary(managed.shelf.affine("v3", 3.0), 50)))
    await managed.until_observed(3)
    assert managed.serving == "v1"
    assert managed.manager.refusal is not None
    assert managed.router.canary is not None


def back(now: Channel, author: Author) -> Channel:
    return channels.rollback(now, author)
