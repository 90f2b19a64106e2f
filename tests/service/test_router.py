"""Which servable answers the next request."""

import asyncio

import pytest

from pointsman.manifest import Version
from pointsman.registry import Registry
from pointsman_service.errors import NotServing, UnknownVersion
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


async def test_without_a_servable_there_is_nothing_to_claim_and_that_is_counted() -> None:
    router = Router()
    with pytest.raises(NotServing, match="no version is ready yet"):
        router.claim()
    assert router.unserved == 1


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


async def test_a_canary_gets_the_requests_of_its_users_and_no_others(shelf: Shelf) -> None:
    router, stable, canary = Router(), servable(shelf, "v1"), servable(shelf, "v2")
    router.switch(stable)
    router.split(canary, 40)
    answered: dict[bytes, set[str]] = {}
    for number in range(200):
        key = f"user-{number % 50}".encode()
        with router.claim(key) as claimed:
            answered.setdefault(key, set()).add(claimed.name)
    assert all(len(versions) == 1 for versions in answered.values()), "the same at every request"
    assert set().union(*answered.values()) == {"v1", "v2"}


@pytest.mark.parametrize(("weight", "version"), [(0, "v1"), (100, "v2")])
async def test_a_canary_may_wait_or_get_everything(shelf: Shelf, weight: int, version: str) -> None:
    router = Router()
    router.switch(servable(shelf, "v1"))
    router.split(servable(shelf, "v2"), weight)
    for key in (None, b"a", b"b"):
        with router.claim(key) as claimed:
            assert claimed.name == version


async def test_when_the_canary_ends_stable_answers_everybody(shelf: Shelf) -> None:
    router, stable = Router(), servable(shelf, "v1")
    router.switch(stable)
    router.split(servable(shelf, "v2"), 100)
    router.split(None)
    assert router.canary is None
    with router.claim(b"a") as claimed:
        assert claimed is stable


async def test_a_canary_alone_answers_nobody(shelf: Shelf) -> None:
    router = Router()
    router.split(servable(shelf, "v2"), 100)
    with pytest.raises(NotServing):
        router.claim(b"a")


async def test_a_request_that_names_its_version_gets_it_or_none(shelf: Shelf) -> None:
    router, stable, other = Router(), servable(shelf, "v1"), servable(shelf, "v2")
    router.find_by({"v2": other}.get)
    router.switch(stable)
    for version, expected in (("v1", stable), ("v2", other)):
        with router.claim(version=version) as claimed:
            assert claimed is expected
    with pytest.raises(UnknownVersion, match="v9 is not in memory here"):
        router.claim(version="v9")


async def test_the_next_request_wakes_once_whether_it_is_answered_or_not(shelf: Shelf) -> None:
    router, woken = Router(), 0

    def wake() -> None:
        nonlocal woken
        woken += 1

    router.at_next_request(wake)
    for _ in range(2):
        with pytest.raises(NotServing):
            router.claim()
    assert woken == 1
    router.switch(servable(shelf, "v1"))
    router.at_next_request(wake)
    for _ in range(2):
        with router.claim() as claimed:
            assert claimed.name == "v1"
    assert woken == 2
