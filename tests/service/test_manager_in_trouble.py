"""What the manager does with versions that must not serve, and with a store that is not there."""

import asyncio
from pathlib import Path

import pytest

from pointsman_service.serving.counters import Timing
from tests import models
from tests.fakes.memory_store import MemoryStore
from tests.registry.versions import bytes_of
from tests.service.managed import Managed, at_work
from tests.service.obedient_store import ObedientStore
from tests.service.patience import turns, until

pytestmark = pytest.mark.anyio


async def test_a_broken_version_never_serves_and_the_old_one_goes_on(managed: Managed) -> None:
    v1 = managed.shelf.affine("v1", 1.0)
    broken = managed.shelf.affine("v2", 2.0, golden_factor=3.0)
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)
    served = managed.router.stable
    managed.manager.aspire(managed.shelf.aspired(v1, broken))
    await managed.until_observed(2)
    assert managed.router.stable is served
    refusal = managed.manager.refusal
    assert refusal is not None
    assert (refusal.generation, refusal.pointer) == (2, broken)
    assert "golden set" in refusal.reason
    assert managed.states == {"v1": "ready"}
    assert managed.manager.counters.failed_loads == 1


async def test_a_refused_version_is_not_tried_again_for_its_generation(managed: Managed) -> None:
    broken, good = managed.shelf.affine("v1", 1.0, golden_factor=3.0), managed.shelf.affine("v2", 2)
    managed.manager.aspire(managed.shelf.aspired(broken))
    await managed.until_observed(1)
    managed.manager.aspire(managed.shelf.aspired(broken, origin="cache"))
    await until(lambda: not managed.manager._wake.is_set())
    managed.manager.aspire(managed.shelf.aspired(broken, good))
    await managed.until_observed(2)
    assert managed.manager.counters.failed_loads == 1


async def test_a_refused_version_is_tried_again_for_a_new_generation(managed: Managed) -> None:
    v1 = managed.shelf.affine("v1", 1.0)
    broken = managed.shelf.affine("v2", 2.0, golden_factor=3.0)
    managed.manager.aspire(managed.shelf.aspired(v1, broken))
    await managed.until_observed(2)
    managed.manager.aspire(managed.shelf.aspired(v1, broken, v1))
    await managed.until_observed(3)
    assert managed.manager.refusal is None
    assert managed.serving == "v1"
    managed.manager.aspire(managed.shelf.aspired(v1, broken, v1, broken))
    await managed.until_observed(4)
    assert managed.manager.counters.failed_loads == 2
    assert managed.serving == "v1"


async def test_a_refusal_says_nothing_of_another_version_with_the_same_generation(
    managed: Managed,
) -> None:
    """As after a store was emptied, and its channel begun anew."""
    broken = managed.shelf.affine("v1", 1.0, golden_factor=3.0)
    managed.manager.aspire(managed.shelf.aspired(broken))
    await managed.until_observed(1)
    managed.manager.aspire(managed.shelf.aspired(managed.shelf.affine("v2", 2.0)))
    await until(lambda: managed.serving == "v2")
    assert managed.manager.refusal is None


async def test_an_unreachable_store_is_asked_again_and_nothing_is_refused(
    managed: Managed,
) -> None:
    aspired = managed.shelf.aspired(managed.shelf.affine("v1", 1.0))
    managed.store.reachable = False
    managed.manager.aspire(aspired)
    await until(lambda: len(managed.store.calls) > 3)
    assert "cannot be fetched" in managed.manager.trouble
    assert managed.manager.refusal is None
    assert managed.manager.observed_generation == 0
    managed.store.reachable = True
    await managed.until_observed(1)
    assert managed.serving == "v1"
    assert managed.manager.trouble == ""


async def test_a_missing_file_is_a_refusal_that_heals_when_the_file_is_back(
    managed: Managed, tmp_path: Path
) -> None:
    pointer = managed.shelf.affine("v1", 1.0)
    blobs = [info.key for info in managed.store.scan("models/m/blobs/")]
    contents = {key: bytes_of(managed.store, key, 0, 1 << 20) for key in blobs}
    for key in blobs:
        managed.store.delete(key)
    managed.manager.aspire(managed.shelf.aspired(pointer))
    await managed.until_observed(1)
    assert managed.manager.refusal is not None
    assert "has lost model.onnx" in managed.manager.refusal.reason
    for key, data in contents.items():
        managed.store.overwrite(key, data)
    await until(lambda: managed.serving == "v1")
    await until(lambda: managed.manager.refusal is None)


async def test_a_failure_that_nobody_foresaw_is_a_refusal(managed: Managed) -> None:
    v1 = managed.shelf.affine("v1", 1.0)
    managed.manager.aspire(managed.shelf.aspired(v1))
    await managed.until_observed(1)

    class Surprising(MemoryStore):
        def get(self, key: str, etag: str | None = None) -> None:
            raise ZeroDivisionError(key)

    v2 = managed.shelf.affine("v2", 2.0)
    managed.store._inner = Surprising()
    managed.manager.aspire(managed.shelf.aspired(v1, v2))
    await managed.until_observed(2)
    assert managed.manager.refusal is not None
    assert managed.manager.refusal.reason.startswith("ZeroDivisionError")
    assert managed.serving == "v1"


async def test_a_start_with_a_refused_version_serves_what_was_served_last(tmp_path: Path) -> None:
    store = ObedientStore(MemoryStore())
    async with at_work(Managed(tmp_path, store)) as before:
        v1 = before.shelf.affine("v1", 1.0)
        broken = before.shelf.affine("v2", 2.0, golden_factor=3.0)
        before.manager.aspire(before.shelf.aspired(v1))
        await until(lambda: before.last_served.recall() is not None)
    async with at_work(Managed(tmp_path, store)) as after:
        after.manager.aspire(after.shelf.aspired(v1, broken))
        await until(lambda: after.serving == "v1")
        assert after.manager.observed_generation == 2
        assert after.manager.refusal is not None


async def test_a_refused_version_is_never_remembered(tmp_path: Path) -> None:
    async with at_work(Managed(tmp_path)) as managed:
        v1 = managed.shelf.affine("v1", 1.0)
        broken = managed.shelf.affine("v2", 2.0, golden_factor=3.0)
        managed.manager.aspire(managed.shelf.aspired(v1))
        await managed.until_observed(1)
        managed.manager.aspire(managed.shelf.aspired(v1, broken))
        await managed.until_observed(2)
        await until(lambda: managed.last_served.recall() is not None)
        recalled = managed.last_served.recall()
        assert recalled is not None
        assert recalled.channel.stable == v1


async def test_with_nothing_remembered_a_refused_version_leaves_nothing_to_serve(
    managed: Managed, tmp_path: Path
) -> None:
    model = models.never_loads(tmp_path / "broken.onnx")
    managed.manager.aspire(managed.shelf.aspired(managed.shelf.put("v1", model)))
    await managed.until_observed(1)
    assert managed.serving == ""
    assert managed.states == {}


async def test_a_manager_that_is_started_again_takes_up_what_it_left(tmp_path: Path) -> None:
    managed = Managed(tmp_path)
    aspired = managed.shelf.aspired(managed.shelf.affine("v1", 1.0))
    async with at_work(managed):
        managed.store.reachable = False
        managed.manager.aspire(aspired)
        await until(lambda: managed.manager.trouble)
    managed.store.reachable = True
    async with at_work(managed):
        await managed.until_observed(1)
        assert managed.serving == "v1"


async def test_an_announcement_at_the_very_moment_of_the_end_does_not_prevent_it(
    tmp_path: Path,
) -> None:
    managed = Managed(tmp_path)
    managed.manager._timing = Timing(retry=3600)
    aspired = managed.shelf.aspired(managed.shelf.affine("v1", 1.0))
    managed.store.reachable = False
    managed.manager.aspire(aspired)
    running = asyncio.create_task(managed.manager.run())
    await until(lambda: managed.manager.trouble and managed.manager.loading is None)
    await turns()
    managed.manager.aspire(aspired)
    running.cancel()
    await asyncio.wait([running], timeout=120)
    assert running.cancelled()
