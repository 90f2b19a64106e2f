"""Every route's replies, byte for byte, as they were once looked at and found right.

`GOLDEN=write pytest tests/service/v2/test_golden.py` writes them anew; `git diff` then shows what
changed on the wire.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pointsman_service.api.v2 import routes
from tests import models
from tests.service.in_process import InProcess, Surroundings, serving
from tests.service.v2 import conversation

pytestmark = pytest.mark.anyio

GOLDEN = Path(__file__).with_name("golden")
MODELS: dict[str, Callable[[Path], Path]] = {
    "affine": models.affine,
    "pair": models.pair,
    "repository": models.affine,
    "statistics": models.affine,
    "strings": models.strings,
}

VARIABLES = {"repository": {"POINTSMAN_ADMIN_KEYS": "an-operators-own-key"}}


@pytest.mark.parametrize("served", sorted(path.name for path in GOLDEN.iterdir()))
async def test_replies_are_as_they_were(surroundings: Surroundings, served: str) -> None:
    if served in MODELS:
        model = MODELS[served](surroundings.directory / "model.onnx")
        surroundings.shelf.activate(surroundings.shelf.put("v1", model))
    differing = []
    async with serving(surroundings, **VARIABLES.get(served, {})) as service:
        if served in MODELS:
            await service.until_serving("v1")
        for path in sorted((GOLDEN / served).iterdir()):
            differing += await _difference(service, path)
    assert differing == []


async def _difference(service: InProcess, path: Path) -> list[tuple[str, str, str]]:
    expected = conversation.read(path)
    reply = await expected.said(service.client)
    if os.environ.get("GOLDEN") == "write":
        expected.note(reply)
        return []
    return [] if reply == expected.reply else [(path.name, reply, expected.reply)]


def test_every_route_has_a_golden_reply() -> None:
    asked = {conversation.read(path).target.partition("?")[0] for path in GOLDEN.rglob("*.txt")}
    bases = "/v2/models/m", "/v2/models/m/versions/v1"
    of_model = {f"{base}/{rest}".rstrip("/") for base in bases for rest in routes.OF_MODEL}
    of_repository = {f"/v2/repository/models/m/{action}" for action in routes.OF_REPOSITORY}
    besides = {"/predict", "/health", "/livez"}
    assert {*besides, *routes.FIXED, *of_model, *of_repository} <= asked
