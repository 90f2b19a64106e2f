"""Which servable answers the next request."""

import asyncio

import pytest

from pointsman.manifest import Version
from pointsman.registry import Registry
from pointsman_service.errors import NotServing
from pointsman_service.serving.router import Router
from pointsman_service.serving.servable import Servable
from tests.service.fake_model import SAMPLE, FakeModel, doubled, fast
from tests.service.patience import turns
from tests.service.shelf import Shelf

pytestmark = pytest.mark.anyio


def servable(shelf: Shelf, version: str) -> Servable:
    pointer = shelf.affine(version, 2.0)
    found: Version = Registry(shelf.store).resolve("m", pointer)
    return Servable(found, FakeModel(doubled), SAMPLE, fast())


async def test_without_a_servable_there_is_nothing_to_claim() -> None:
    with pytest.raises(NotServing, match="no version is ready yet"):
        Router().claim()


async def test_switching_returns_what_was_replaced(shelf: Shelf) -> None:
    router, old, new = Router(), servable(shelf, "v1"), servable(shelf, "v2")
    assert router.switch(old) is None
    assert router.switch(new) is old
    assert router.stable is new


async def test_a_switch_never_breaks_a_claimed_handle(shelf: Shelf) -> None:
    router, old, new = Router(), servable(shelf, "v1"), servable(shelf, "v2")
    router.switch(old)
    with router.claim() as claimed:
        router.switch(new)
        draining = asyncio.create_task(old.drain())
        await turns()
        assert claimed is old
        assert not draining.done()
        with router.claim() as next_one:
            assert next_one is new
    await draining
