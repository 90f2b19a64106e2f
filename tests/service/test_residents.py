"""Who is in memory, who is leaving it, and what is remembered of those who left."""

import asyncio
from collections.abc import Callable

import pytest

from pointsman.registry import Registry
from pointsman_service.runtime import huge_pages
from pointsman_service.serving import residents as residents_module
from pointsman_service.serving.residents import Residents
from pointsman_service.serving.servable import Servable, State
from tests.service.fake_model import SAMPLE, FakeModel, doubled, fast
from tests.service.patience import turns, until
from tests.service.shelf import Shelf

pytestmark = pytest.mark.anyio


def servable(shelf: Shelf, version: str) -> Servable:
    pointer = shelf.affine(version, 2.0)
    return another(shelf, version, pointer.digest)


def another(shelf: Shelf, version: str, digest: str) -> Servable:
    found = Registry(shelf.store).version("m", version)
    assert found.digest == digest
    return Servable(found, FakeModel(doubled), SAMPLE, fast())


def states(residents: Residents) -> dict[str, str]:
    return {each.name: str(each.state) for each in residents}


async def test_what_is_not_needed_is_unloaded_and_still_reported(shelf: Shelf) -> None:
    changes: list[None] = []
    residents = Residents(lambda: changes.append(None))
    v1, v2 = servable(shelf, "v1"), servable(shelf, "v2")
    residents.add(v1)
    residents.add(v2)
    residents.keep({v2.version.digest, None})
    await until(lambda: changes)
    assert list(residents.ready) == [v2.version.digest]
    assert states(residents) == {"v2": "ready", "v1": "unloaded"}


async def test_a_version_in_use_drains_first_and_counts_as_in_flight(shelf: Shelf) -> None:
    residents = Residents(lambda: None)
    v1 = servable(shelf, "v1")
    residents.add(v1)
    with v1.claim():
        residents.keep(())
        await turns()
        assert states(residents) == {"v1": "draining"}
        assert residents.in_flight == 1
    await until(lambda: v1.state is State.UNLOADED)
    assert residents.in_flight == 0


async def test_a_version_that_comes_back_counts_on_where_it_left_off(shelf: Shelf) -> None:
    residents = Residents(lambda: None)
    v1 = servable(shelf, "v1")
    residents.add(v1)
    v1.statistics.errors = 3
    residents.keep(())
    await until(lambda: v1.state is State.UNLOADED)
    back = another(shelf, "v1", v1.version.digest)
    residents.add(back)
    assert back.statistics.errors == 3
    assert states(residents) == {"v1": "ready"}


async def test_a_version_loaded_while_it_still_drains_is_reported_once_with_all_its_counts(
    shelf: Shelf,
) -> None:
    residents = Residents(lambda: None)
    v1 = servable(shelf, "v1")
    residents.add(v1)
    with v1.claim():
        residents.keep(())
        await turns()
        back = another(shelf, "v1", v1.version.digest)
        residents.add(back)
        v1.statistics.errors += 1
        assert states(residents) == {"v1": "ready"}
        assert back.statistics.errors == 1
        assert residents.in_flight == 1
    await until(lambda: v1.state is State.UNLOADED)
    assert states(residents) == {"v1": "ready"}


async def test_only_the_last_ones_that_left_are_remembered(shelf: Shelf) -> None:
    residents = Residents(lambda: None)
    for number in range(20):
        residents.add(servable(shelf, f"v{number}"))
    residents.keep(())
    await until(lambda: set(states(residents).values()) == {"unloaded"})
    await until(lambda: len(list(residents)) == 16)


async def test_closing_does_not_wait_for_handles(shelf: Shelf) -> None:
    residents = Residents(lambda: None)
    v1 = servable(shelf, "v1")
    residents.add(v1)
    with v1.claim():
        residents.keep(())
        await turns()
        await asyncio.wait_for(residents.close(), 120)
        assert v1.state is State.DRAINING


async def test_a_large_version_that_stays_gets_huge_pages_and_one_that_leaves_does_not(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def gather(go_on: Callable[[], bool]) -> int:
        asked.append(go_on())
        return 0

    monkeypatch.setattr(huge_pages, "gather", gather)
    monkeypatch.setattr(residents_module, "_MOMENT_SECONDS", 0.0)
    monkeypatch.setattr(residents_module, "_LARGE_BYTES", 1)
    residents = Residents(lambda: None)
    v1, v2 = servable(shelf, "v1"), servable(shelf, "v2")
    residents.add(v1)
    await until(lambda: asked == [True])
    await v2.drain()
    v2.unload()
    residents.add(v2)
    await until(lambda: asked == [True, False])
    residents.add(v1)
    await residents.close()
    assert not residents._gathering


async def test_a_small_version_is_left_where_it_is(shelf: Shelf) -> None:
    residents = Residents(lambda: None)
    residents.add(servable(shelf, "v1"))
    assert not residents._gathering
