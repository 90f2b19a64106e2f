"""A store that is away, slow, or wrong: what serves goes on serving, and it is said and made up."""

import pytest

from pointsman_service import health
from tests.service.in_process import InProcess, Surroundings, serving
from tests.service.patience import until

pytestmark = pytest.mark.anyio


async def answered_by(service: InProcess) -> str:
    answer = await service.predict([[1, 2, 3, 4]])
    assert answer.status_code == 200
    version: str = answer.headers["x-model-version"]
    return version


async def test_a_store_that_is_away_for_a_while_is_caught_up_with(served: InProcess) -> None:
    surroundings = served.surroundings
    surroundings.models.reachable = False
    await until(lambda: served.service.source.trouble)
    assert await answered_by(served) == "v1"
    verdict = health.judge(served.service)
    assert (verdict.status, verdict.ready) == ("degraded", True)
    # Two generations pass unseen: the machine that activates them reaches the store.
    inner = surroundings.models._inner
    surroundings.shelf.store = inner
    for version, factor in (("v2", 3.0), ("v3", 4.0)):
        surroundings.shelf.activate(surroundings.shelf.affine(version, factor))
    surroundings.models.reachable = True
    await served.until_serving("v3")
    await until(lambda: health.judge(served.service).status == "ok")
    assert served.service.manager.observed_generation == 3
    assert served.service.manager.counters.loads == 2, "what was never served was never loaded"


async def test_a_store_that_goes_away_in_the_middle_of_a_download_loses_no_request(
    served: InProcess,
) -> None:
    surroundings = served.surroundings
    pointer = surroundings.shelf.affine("v2", 3.0)
    with surroundings.models.holding("get_range") as hold:
        surroundings.shelf.activate(pointer)
        await until(hold.reached.is_set)
        surroundings.models.reachable = False
    await until(lambda: served.service.manager.trouble)
    assert await answered_by(served) == "v1"
    assert served.service.manager.refusal is None
    surroundings.models.reachable = True
    await served.until_serving("v2")


async def test_a_slow_store_delays_the_switch_and_no_answer(served: InProcess) -> None:
    surroundings = served.surroundings
    pointer = surroundings.shelf.affine("v2", 3.0)
    with surroundings.models.holding("get_range") as hold:
        surroundings.shelf.activate(pointer)
        await until(hold.reached.is_set)
        for _ in range(20):
            assert await answered_by(served) == "v1"
        status, body = await served.health(version="v2")
        assert (status, body["status"]) == (503, "ok")
        assert body["reason"] == "expected version v2, serving v1: v2 is on its way: fetching"
    await served.until_serving("v2")


async def test_a_slow_store_does_not_hold_up_going_back(served: InProcess) -> None:
    """While v3 is being fetched, the way from v2 to v1 is as short as ever."""
    surroundings = served.surroundings
    surroundings.shelf.activate(surroundings.shelf.affine("v2", 3.0))
    await served.until_serving("v2")
    pointer = surroundings.shelf.affine("v3", 4.0)
    with surroundings.models.holding("get_range") as hold:
        surroundings.shelf.activate(pointer)
        await until(hold.reached.is_set)
        surroundings.shelf.rollback()
        surroundings.shelf.rollback()
        await served.until_serving("v1")
        await until(lambda: served.service.manager.observed_generation == 5)
    await until(lambda: served.service.manager.loading is None)
    assert await answered_by(served) == "v1"


async def test_a_corrupted_blob_is_refused_and_served_once_it_is_whole_again(
    served: InProcess,
) -> None:
    surroundings = served.surroundings
    pointer = surroundings.shelf.affine("v2", 3.0)
    model = surroundings.shelf.directory / "v2" / "model.onnx"
    surroundings.shelf.damage(model)
    surroundings.shelf.activate(pointer)
    await until(lambda: served.service.manager.refusal)
    status, body = await served.health()
    assert (status, body["status"], body["version"]) == (200, "degraded", "v1")
    assert "is damaged: its bytes are not those its name promises" in body["reason"]
    assert await answered_by(served) == "v1"
    surroundings.shelf.restore(model)
    surroundings.shelf.activate(surroundings.shelf.affine("v3", 4.0))
    await served.until_serving("v3")
    surroundings.shelf.activate(pointer)
    await served.until_serving("v2")


async def test_a_refused_version_that_is_activated_again_is_tried_again(
    surroundings: Surroundings,
) -> None:
    """The same version, in a new generation: what was around it may have been to blame."""
    v1 = surroundings.shelf.affine("v1", 2.0)
    surroundings.shelf.damage(surroundings.shelf.directory / "v1" / "model.onnx")
    surroundings.shelf.activate(v1)
    async with serving(surroundings) as service:
        await until(lambda: service.service.manager.refusal)
        assert (await service.health())[0] == 503
        surroundings.shelf.restore(surroundings.shelf.directory / "v1" / "model.onnx")
        surroundings.shelf.renew()
        await service.until_serving("v1")
        assert service.service.manager.observed_generation == 2
        assert service.service.manager.refusal is None
