"""Canary and shadow in a whole service: what clients get, and what is said of it."""

from collections.abc import Callable

import pytest

from pointsman import rollout
from pointsman.channel import Author, Channel, Pointer
from pointsman.heartbeat import Heartbeat, ServableReport
from tests.service.in_process import InProcess, Surroundings, serving
from tests.service.patience import until

pytestmark = pytest.mark.anyio

STICKY = {"POINTSMAN_STICKY_HEADER": "X-User"}


async def started(service: InProcess, weight: int, pointer: Pointer | None = None) -> None:
    """Start a canary v2, which triples, and wait until that is dealt with."""
    shelf = service.surroundings.shelf
    canary = pointer or shelf.affine("v2", 3.0)
    channel = shelf.change(lambda now, author: rollout.start(now, canary, weight, author))
    manager = service.service.manager
    await until(lambda: manager.observed_generation == channel.generation)


async def shadowed(service: InProcess, pointer: Pointer) -> None:
    """Let a version compute along with everything, and wait until that is dealt with."""

    def shadow(now: Channel, author: Author) -> Channel:
        return rollout.shadow(now, pointer, 100, author)

    channel = service.surroundings.shelf.change(shadow)
    manager = service.service.manager
    await until(lambda: manager.observed_generation == channel.generation)


async def told(service: InProcess, what: Callable[[Heartbeat], object]) -> Heartbeat:
    """Wait for a heartbeat of which something holds."""
    found: list[Heartbeat] = []

    def holds() -> bool:
        beat = service.surroundings.heartbeat
        if beat is None or not what(beat):
            return False
        found.append(beat)
        return True

    await until(holds)
    return found[0]


def compared(service: InProcess) -> int:
    return service.service.manager.mirror.comparison.requests


def report(beat: Heartbeat, version: str) -> ServableReport | None:
    return next((each for each in beat.servables if each.version == version), None)


async def test_a_user_always_gets_the_same_of_stable_and_canary(
    surroundings: Surroundings,
) -> None:
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
    async with serving(surroundings, **STICKY) as service:
        await service.until_serving("v1")
        await started(service, 50)
        versions: dict[str, set[str]] = {}
        for number in range(60):
            user = f"user-{number % 20}"
            answer = await service.predict([[1, 2, 3, 4]], headers={"X-User": user})
            version = answer.headers["x-model-version"]
            assert answer.json()["model"]["version"] == version
            assert answer.json()["outputs"]["y"][0][0] == {"v1": 2.0, "v2": 3.0}[version]
            versions.setdefault(user, set()).add(version)
        assert all(len(each) == 1 for each in versions.values())
        assert set().union(*versions.values()) == {"v1", "v2"}


async def test_without_a_sticky_header_chance_decides(served: InProcess) -> None:
    await started(served, 50)
    versions = set()
    for _ in range(60):
        answer = await served.predict([[1, 2, 3, 4]], headers={"X-User": "always the same"})
        versions.add(answer.headers["x-model-version"])
    assert versions == {"v1", "v2"}


async def test_health_and_fleet_tell_of_a_canary_and_can_be_asked_for_it(
    served: InProcess,
) -> None:
    assert (await served.health(canary="v2"))[0] == 503
    await started(served, 5)
    status, body = await served.health(canary="v2", version="v1", generation="2")
    assert (status, body["status"]) == (200, "ok")
    assert body["canary"] == {"version": "v2", "weight": 5}
    assert body["version"] == "v1"
    status, body = await served.health(version="v2")
    assert (status, body["reason"]) == (503, "expected version v2, serving v1: v2 is the canary")
    beat = await told(served, lambda beat: beat.observed_generation == 2)
    roles = {each.version: each.role for each in beat.servables}
    assert roles == {"v1": "stable", "v2": "canary"}


async def test_a_refused_canary_degrades_and_is_told_with_its_reason(served: InProcess) -> None:
    broken = served.surroundings.shelf.affine("v2", 3.0, golden_factor=4.0)
    await started(served, 50, broken)
    status, body = await served.health()
    assert (status, body["status"], body["version"]) == (200, "degraded", "v1")
    assert body["reason"].startswith("canary v2: v2 does not reproduce its golden set here")
    assert "canary" not in body
    status, body = await served.health(generation="2")
    assert status == 503
    assert body["reason"].startswith("expected generation 2, serving none: refused: canary v2")
    beat = await told(served, lambda beat: beat.observed_generation == 2)
    assert beat.canary_refused == (await served.health())[1]["reason"]
    assert beat.refused == ""
    for _ in range(20):
        answer = await served.predict([[1, 2, 3, 4]])
        assert answer.headers["x-model-version"] == "v1"


async def test_a_shadow_is_compared_in_heartbeat_and_metrics(served: InProcess) -> None:
    await shadowed(served, served.surroundings.shelf.affine("v2", 2.5))
    for number in range(5):
        answer = await served.predict([[number, 2, 3, 4]])
        assert answer.headers["x-model-version"] == "v1"
        await until(lambda count=number + 1: compared(served) == count)  # type: ignore[misc]
    served.service.heartbeats.changed()

    def all_five(beat: Heartbeat) -> bool:
        found = report(beat, "v2")
        return bool(found and found.shadow and found.shadow.requests == 5)

    found = report(await told(served, all_five), "v2")
    assert found is not None
    assert found.shadow is not None
    shadow = found.shadow
    assert (shadow.dropped, shadow.max_difference, shadow.top1_agreement) == (0, 2.0, 1.0)
    assert found.role == "shadow"
    metrics = (await served.client.get("/metrics")).text
    for line in (
        'pointsman_shadow_requests_total{model="m",version="v2"} 5.0',
        'pointsman_shadow_dropped_total{model="m",version="v2"} 0.0',
        'pointsman_shadow_max_difference{model="m",version="v2"} 2.0',
        'pointsman_shadow_top1_agreement{model="m",version="v2"} 1.0',
    ):
        assert line in metrics
    assert (await served.health())[1]["shadow"] == {"version": "v2", "percent": 100}


async def test_a_shadow_that_answers_slowly_delays_nobody(served: InProcess) -> None:
    """It computes on and on while every answer is there at once."""
    await shadowed(served, served.surroundings.shelf.affine("v2", 2.5))
    shadow = served.service.manager.mirror.servable
    assert shadow is not None
    with served.surroundings.hanging(shadow):
        for _ in range(30):
            assert (await served.predict([[1, 2, 3, 4]])).status_code == 200
        assert served.service.manager.mirror.comparison.requests == 0
        assert served.service.manager.mirror.comparison.dropped > 0


async def test_a_heartbeat_tells_of_memory_and_of_what_a_rollback_would_take(
    served: InProcess,
) -> None:
    shelf = served.surroundings.shelf
    shelf.activate(shelf.affine("v2", 3.0))
    await served.until_serving("v2")
    beat = await told(served, lambda beat: beat.rollback_readiness == "resident")
    seconds, available = beat.rollback_seconds, beat.memory_available_bytes
    assert seconds is not None
    assert seconds < 1
    limit = beat.memory_limit_bytes
    assert available is not None
    assert limit is not None
    assert 0 < available <= limit


async def test_an_answer_with_nan_is_counted_for_the_version_that_gave_it(
    served: InProcess,
) -> None:
    await started(served, 100, served.surroundings.shelf.affine("v2", float("nan")))
    for _ in range(3):
        assert (await served.predict([[1, 2, 3, 4]])).status_code == 200
    served.service.heartbeats.changed()

    def all_three(beat: Heartbeat) -> bool:
        found = report(beat, "v2")
        return found is not None and found.nonfinite == 3

    stable = report(await told(served, all_three), "v1")
    assert stable is not None
    assert stable.nonfinite == 0
