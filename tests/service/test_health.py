"""`/health`: 200 exactly when a version answers here, and `/livez`."""

import pytest

from tests.service.in_process import InProcess, Surroundings, serving
from tests.service.patience import until

pytestmark = pytest.mark.anyio


async def test_nothing_active_is_loading_and_says_why(surroundings: Surroundings) -> None:
    async with serving(surroundings) as service:
        await until(lambda: service.service.source.trouble)
        status, body = await service.health()
        assert (status, body["status"], body["model_loaded"]) == (503, "loading", False)
        assert body["reason"] == "nothing is active in the channel production of m"
        assert body["version"] is None
        assert (await service.client.get("/livez")).status_code == 200


async def test_what_serves_is_ok_and_named(served: InProcess) -> None:
    status, body = await served.health()
    assert (status, body["status"], body["model_loaded"]) == (200, "ok", True)
    assert (body["model"], body["version"], body["generation"]) == ("m", "v1", 1)
    assert (body["channel"], body["source"], body["instance"]) == ("production", "store", "tested")
    assert body["digest"].startswith("sha256:")
    assert body["age_seconds"] >= 0
    assert "reason" not in body
    assert "loading" not in body


async def test_progress_shows_while_a_version_loads(surroundings: Surroundings) -> None:
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
    with surroundings.models.holding("get_range") as hold:
        async with serving(surroundings) as service:
            await until(hold.reached.is_set)
            status, body = await service.health()
            assert (status, body["status"]) == (503, "loading")
            assert (body["loading"]["version"], body["loading"]["step"]) == ("v1", "fetching")
            assert body["loading"]["done_bytes"] < body["loading"]["total_bytes"]
            hold.released.set()
            await service.until_serving("v1")
            assert (await service.health())[0] == 200


async def test_a_refused_version_with_nothing_before_it_is_failed(
    surroundings: Surroundings,
) -> None:
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0, golden_factor=3.0))
    async with serving(surroundings) as service:
        await until(lambda: service.service.manager.refusal)
        status, body = await service.health()
        assert (status, body["status"], body["model_loaded"]) == (503, "failed", False)
        assert "golden set" in body["reason"]


async def test_a_refused_version_degrades_what_goes_on_serving(served: InProcess) -> None:
    shelf = served.surroundings.shelf
    shelf.activate(shelf.affine("v2", 2.0, golden_factor=3.0))
    await until(lambda: served.service.manager.refusal)
    status, body = await served.health()
    assert (status, body["status"], body["version"]) == (200, "degraded", "v1")
    assert "golden set" in body["reason"]


async def test_an_unreachable_store_degrades_what_goes_on_serving(served: InProcess) -> None:
    served.surroundings.models.reachable = False
    await until(lambda: served.service.source.trouble)
    status, body = await served.health()
    assert (status, body["status"], body["version"]) == (200, "degraded", "v1")
    served.surroundings.models.reachable = True
    await until(lambda: not served.service.source.trouble)
    assert (await served.health())[1]["status"] == "ok"


async def test_a_start_without_the_store_serves_what_was_served_last_and_is_degraded(
    surroundings: Surroundings,
) -> None:
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
    async with serving(surroundings) as service:
        await until(lambda: service.service.manager._last_served.recall() is not None)
    surroundings.models.reachable = False
    async with serving(surroundings) as service:
        await service.until_serving("v1")
        status, body = await service.health()
        assert (status, body["status"], body["source"]) == (200, "degraded", "cache")
        surroundings.models.reachable = True
        await until(lambda: service.service.manager.origin == "store")
        assert (await service.health())[1]["status"] == "ok"


async def test_what_is_in_the_way_now_is_said_rather_than_what_was_refused_before(
    served: InProcess,
) -> None:
    shelf = served.surroundings.shelf
    shelf.activate(shelf.affine("v2", 2.0, golden_factor=3.0))
    await until(lambda: served.service.manager.refusal)
    v3 = shelf.affine("v3", 3.0)
    with served.surroundings.models.holding("get_range") as hold:
        shelf.activate(v3)
        await until(hold.reached.is_set)
        served.surroundings.models.reachable = False
    await until(lambda: served.service.manager.trouble)
    assert "v3 cannot be fetched" in (await served.health())[1]["reason"]


async def test_draining_is_not_ready_and_still_alive(served: InProcess) -> None:
    served.service.drain()
    status, body = await served.health()
    assert (status, body["status"], body["version"]) == (503, "draining", "v1")
    assert (await served.client.get("/livez")).status_code == 200
    assert (await served.predict([[1, 2, 3, 4]])).status_code == 200


async def test_health_can_be_asked_for_a_version_a_digest_and_a_generation(
    served: InProcess,
) -> None:
    _, present = await served.health()
    right = {"version": "v1", "digest": present["digest"], "generation": "1"}
    for name, value in right.items():
        assert (await served.health(**{name: value}))[0] == 200
        for wrong in ("v2", "", "01"):
            status, body = await served.health(**right | {name: wrong})
            assert status == 503
            assert body["reason"].startswith(f"expected {name} {wrong or '(empty)'}, serving")
            assert body["status"] == "ok"
    assert (await served.health(**right))[0] == 200
    assert (await served.health(colour="red"))[0] == 200


async def test_a_refused_generation_is_not_served_though_it_is_dealt_with(
    served: InProcess,
) -> None:
    shelf = served.surroundings.shelf
    shelf.activate(shelf.affine("v2", 2.0, golden_factor=3.0))
    await until(lambda: served.service.manager.refusal)
    status, body = await served.health(generation="2")
    assert (status, body["generation"]) == (503, 2)
    assert (await served.health(version="v1"))[0] == 200
