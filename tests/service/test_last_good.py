"""What answers where the aspired version must not, and nothing else does."""

from pathlib import Path

import pytest

from pointsman.channel import Pointer
from tests.fakes.memory_store import MemoryStore
from tests.service.managed import Managed, at_work
from tests.service.obedient_store import ObedientStore
from tests.service.patience import until

pytestmark = pytest.mark.anyio


async def test_a_new_machine_that_must_refuse_serves_what_a_rollback_would_go_to(
    managed: Managed,
) -> None:
    v1 = managed.shelf.affine("v1", 1.0)
    broken = managed.shelf.affine("v2", 2.0, golden_factor=3.0)
    managed.manager.aspire(managed.shelf.aspired(v1, broken))
    await managed.until_observed(2)
    await until(lambda: managed.serving == "v1")
    assert managed.manager.refusal is not None
    assert managed.manager.counters.switches == 0


async def test_what_served_here_last_comes_before_what_the_channel_remembers(
    tmp_path: Path,
) -> None:
    store = ObedientStore(MemoryStore())
    async with at_work(Managed(tmp_path, store)) as before:
        versions = [before.shelf.affine(f"v{number}", number) for number in (1, 2)]
        broken = before.shelf.affine("v3", 3.0, golden_factor=4.0)
        before.manager.aspire(before.shelf.aspired(versions[0]))
        await until(before.last_served.recall)
    async with at_work(Managed(tmp_path, store)) as after:
        after.manager.aspire(after.shelf.aspired(*versions, broken))
        await until(lambda: after.serving == "v1")


async def test_a_version_that_cannot_be_fetched_yet_is_waited_for(managed: Managed) -> None:
    """Nothing speaks against it: what went before it is not wanted back."""
    v1, v2 = managed.shelf.affine("v1", 1.0), managed.shelf.affine("v2", 2.0)
    await managed.manager._loader.load(v1)
    managed.store.reachable = False
    managed.manager.aspire(managed.shelf.aspired(v1, v2))
    await until(lambda: managed.manager.trouble)
    assert managed.serving == ""
    managed.store.reachable = True
    await managed.until_observed(2)
    assert managed.serving == "v2"


async def test_if_the_last_good_one_is_gone_too_nothing_serves(managed: Managed) -> None:
    gone = Pointer(version="v1", digest="sha256:" + "0" * 64)
    broken = managed.shelf.affine("v2", 2.0, golden_factor=3.0)
    managed.manager.aspire(managed.shelf.aspired(gone, broken))
    await managed.until_observed(2)
    await until(lambda: not managed.manager.loading)
    assert managed.serving == ""
