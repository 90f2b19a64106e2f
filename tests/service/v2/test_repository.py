"""The model repository extension: versions come and go by hand, whatever the channel says."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from pointsman.channel import Pointer
from tests import models
from tests.service.in_process import InProcess, Surroundings, serving
from tests.service.patience import until
from tests.service.v2.requests import request, tensor

pytestmark = pytest.mark.anyio

KEY = {"x-api-key": "an-operators-own-key"}
ROW = request(tensor("FP32", [1, 4], [1, 2, 3, 4]))


@pytest.fixture
async def service(surroundings: Surroundings) -> AsyncIterator[InProcess]:
    """A service that serves `v1`, beside which `v2` and `v3` are published."""
    shelf = surroundings.shelf
    shelf.activate(shelf.affine("v1", 2.0))
    for version, factor in (("v2", 3.0), ("v3", 4.0)):
        shelf.affine(version, factor)
    async with serving(surroundings, POINTSMAN_ADMIN_KEYS=KEY["x-api-key"]) as each:
        await each.until_serving("v1")
        yield each


async def ordered(service: InProcess, action: str, **parameters: Any) -> httpx.Response:
    return await service.client.post(
        f"/v2/repository/models/m/{action}", json={"parameters": parameters}, headers=KEY
    )


async def index(service: InProcess, **filters: Any) -> dict[str, str]:
    response = await service.client.post("/v2/repository/index", json=filters, headers=KEY)
    return {row["version"]: row["state"] for row in response.json()}


async def factor(service: InProcess, version: str = "") -> float:
    """Return what a version, or whichever answers, makes of 1; 0 if it does not answer."""
    path = f"/v2/models/m/versions/{version}/infer" if version else "/v2/models/m/infer"
    response = await service.client.post(path, content=ROW)
    return float(response.json()["outputs"][0]["data"][0]) if response.is_success else 0.0


async def test_a_version_loaded_by_hand_answers_under_its_own_path_only(
    service: InProcess,
) -> None:
    assert await index(service) == {"v1": "READY", "v2": "UNAVAILABLE", "v3": "UNAVAILABLE"}
    assert (await ordered(service, "load", version="v2")).status_code == 200
    assert await index(service) == {"v1": "READY", "v2": "READY", "v3": "UNAVAILABLE"}
    assert await index(service, ready=True) == {"v1": "READY", "v2": "READY"}
    assert [await factor(service), await factor(service, "v2")] == [2.0, 3.0]


async def test_it_leaves_when_it_is_told_to_and_nothing_else_does(service: InProcess) -> None:
    for version in ("v2", "v3"):
        await ordered(service, "load", version=version)
    assert (await ordered(service, "unload", version="v2")).status_code == 200
    assert await index(service, ready=True) == {"v1": "READY", "v3": "READY"}
    ready = await service.client.get("/v2/models/m/versions/v2/ready")
    assert ready.status_code == 503
    assert (await ordered(service, "unload")).status_code == 200
    assert await index(service, ready=True) == {"v1": "READY"}
    assert (await ordered(service, "unload", version="v2")).status_code == 200, "it is gone"
    assert await factor(service) == 2.0


async def test_what_the_channel_asks_for_cannot_be_unloaded(service: InProcess) -> None:
    response = await ordered(service, "unload", version="v1")
    assert response.status_code == 409
    assert "the channel asks for it" in response.json()["error"]
    assert await factor(service) == 2.0


async def test_it_stays_while_the_channel_moves_on(service: InProcess) -> None:
    await ordered(service, "load", version="v3")
    shelf = service.surroundings.shelf
    for version in ("v4", "v5", "v6"):
        shelf.activate(shelf.affine(version, 9.0))
        await service.until_serving(version)
    await until(lambda: {"v1", "v4"}.isdisjoint(ready(service)))
    assert await factor(service, "v3") == 4.0


def ready(service: InProcess) -> set[str]:
    residents = service.service.manager.residents
    return {each.name for each in residents if each.version.digest in residents.ready}


async def test_loading_what_is_there_changes_nothing(service: InProcess) -> None:
    loads = service.service.manager.counters.loads
    for parameters in ({}, {"version": "v1"}):
        assert (await ordered(service, "load", **parameters)).status_code == 200
    assert service.service.manager.counters.loads == loads


async def test_several_orders_at_once_are_all_carried_out(service: InProcess) -> None:
    shelf = service.surroundings.shelf
    shelf.activate(shelf.affine("v4", 5.0))
    answers = await asyncio.gather(
        *(ordered(service, "load", version=version) for version in ("v2", "v3", "v2"))
    )
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    await service.until_serving("v4")
    factors = [await factor(service, version) for version in ("v2", "v3", "v4")]
    assert factors == [3.0, 4.0, 5.0]


@pytest.mark.parametrize("put", ["never_loads", "wrong_golden"])
async def test_a_version_that_must_not_serve_is_refused_with_its_reason(
    service: InProcess, put: str
) -> None:
    shelf = service.surroundings.shelf
    bad: Pointer
    if put == "never_loads":
        bad = shelf.put("bad", models.never_loads(service.surroundings.directory / "bad.onnx"))
    else:
        bad = shelf.affine("bad", 2.0, golden_factor=3.0)
    response = await ordered(service, "load", version="bad")
    assert response.status_code == 409
    assert response.json()["error"].startswith("failed to load 'm': ")
    assert bad.digest not in service.service.manager.residents.by_hand
    assert await factor(service) == 2.0


async def test_a_store_that_does_not_answer_is_no_reason_to_forget_what_is_here(
    service: InProcess,
) -> None:
    service.surroundings.models.reachable = False
    assert await index(service) == {"v1": "READY"}
    response = await ordered(service, "load", version="v2")
    assert response.status_code == 503
    assert "failed to load 'm'" in response.json()["error"]


async def test_an_api_key_for_predictions_is_not_one_for_the_repository(
    surroundings: Surroundings,
) -> None:
    keys = {"POINTSMAN_API_KEYS": "a-callers-own-key-1", "POINTSMAN_ADMIN_KEYS": KEY["x-api-key"]}
    async with serving(surroundings, **keys) as service:
        headers = {"x-api-key": "a-callers-own-key-1"}
        response = await service.client.post("/v2/repository/index", headers=headers)
        assert response.status_code == 401
