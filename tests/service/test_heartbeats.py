"""What the fleet hears of an instance, and when."""

import asyncio

import pytest

from pointsman import document, keys, rollout
from pointsman.heartbeat import Verdict, judge
from tests.service.in_process import InProcess, Surroundings, serving
from tests.service.patience import turns, until

pytestmark = pytest.mark.anyio


def beats(surroundings: Surroundings) -> int:
    return surroundings.fleet.calls.count("overwrite")


def heard(surroundings: Surroundings) -> tuple[str, int, str]:
    """Status, generation and version of the last heartbeat."""
    beat = surroundings.heartbeat
    return (beat.status, beat.observed_generation, beat.serving) if beat else ("", 0, "")


async def test_a_change_is_written_at_once_however_long_the_interval(served: InProcess) -> None:
    surroundings = served.surroundings
    await until(lambda: heard(surroundings) == ("ok", 1, "v1"))
    surroundings.shelf.activate(surroundings.shelf.affine("v2", 3.0))
    await until(lambda: heard(surroundings) == ("ok", 2, "v2"))


async def test_without_changes_a_heartbeat_is_written_once_per_interval(
    surroundings: Surroundings,
) -> None:
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
    async with serving(surroundings, POINTSMAN_HEARTBEAT_SECONDS="0.01") as service:
        await until(lambda: heard(surroundings) == ("ok", 1, "v1"))
        before = beats(surroundings)
        await until(lambda: beats(surroundings) > before + 3)
        assert service.service.heartbeats.trouble == ""


async def test_while_a_canary_runs_heartbeats_follow_each_other_quickly(
    served: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    surroundings, heartbeats = served.surroundings, served.service.heartbeats
    router = served.service.router
    canary = surroundings.shelf.affine("v2", 3.0)
    monkeypatch.setattr("pointsman_service.heartbeats.HURRIED_SECONDS", 0.01)
    assert heartbeats.interval == 3600
    surroundings.shelf.change(lambda now, author: rollout.start(now, canary, 5, author))
    await until(lambda: router.canary is not None)
    before = beats(surroundings)
    await until(lambda: beats(surroundings) > before + 5)
    beat = surroundings.heartbeat
    assert beat is not None
    assert beat.interval_seconds == 3600, "who counts as live is not hurried"

    surroundings.shelf.change(rollout.abort)
    await until(lambda: router.canary is None)
    assert heartbeats.interval == 3600


async def test_a_heartbeat_tells_what_serves_and_how_it_answers(served: InProcess) -> None:
    for row in ([1, 2, 3, 4], [1, 2, 3, "four"]):
        await served.predict([row])
    served.service.heartbeats.changed()
    await until(lambda: heard(served.surroundings) == ("ok", 1, "v1"))

    def answered() -> bool:
        beat = served.surroundings.heartbeat
        return beat is not None and beat.servables[0].requests == 1

    await until(answered)
    beat = served.surroundings.heartbeat
    assert beat is not None
    (report,) = beat.servables
    assert (report.version, report.state, report.errors) == ("v1", "ready", 0)
    assert report.p50_seconds is not None
    assert (beat.instance, beat.model, beat.channel) == ("tested", "m", "production")
    assert beat.rss_bytes > 0


async def test_a_refusal_reaches_the_fleet_with_its_reason(served: InProcess) -> None:
    surroundings = served.surroundings
    broken = surroundings.shelf.affine("v2", 3.0, golden_factor=4.0)
    surroundings.shelf.activate(broken)
    await until(lambda: heard(surroundings) == ("degraded", 2, "v1"))
    beat = surroundings.heartbeat
    assert beat is not None
    assert "golden set" in beat.refused
    assert judge(beat, 2, broken.digest) is Verdict.REFUSED
    failed = next(report for report in beat.servables if report.state == "failed")
    assert (failed.version, failed.reason) == ("v2", beat.refused)


async def test_a_version_that_is_being_loaded_is_reported_as_loading(served: InProcess) -> None:
    surroundings = served.surroundings
    pointer = surroundings.shelf.affine("v2", 3.0)

    def states() -> dict[str, str]:
        beat = surroundings.heartbeat
        return {each.version: each.state for each in beat.servables} if beat else {}

    with surroundings.models.holding("get_range"):
        surroundings.shelf.activate(pointer)
        await until(lambda: states() == {"v1": "ready", "v2": "loading"})
    await until(lambda: states() == {"v1": "ready", "v2": "ready"})


async def test_requests_and_failures_of_unloaded_versions_are_not_forgotten(
    served: InProcess,
) -> None:
    surroundings = served.surroundings
    assert served.service.router.stable is not None
    served.service.router.stable.statistics.errors = 5
    for version, factor in (("v2", 3.0), ("v3", 4.0)):
        surroundings.shelf.activate(surroundings.shelf.affine(version, factor))
        await served.until_serving(version)

    def unloaded() -> bool:
        beat = surroundings.heartbeat
        return beat is not None and "unloaded" in {each.state for each in beat.servables}

    await until(unloaded)
    beat = surroundings.heartbeat
    assert beat is not None
    assert beat.errors == 5


async def test_a_store_that_takes_no_heartbeats_is_trouble_and_no_more(
    served: InProcess,
) -> None:
    surroundings, heartbeats = served.surroundings, served.service.heartbeats
    await until(lambda: heard(surroundings) == ("ok", 1, "v1"))
    surroundings.fleet.reachable = False
    heartbeats.changed()
    await until(lambda: heartbeats.trouble)
    status, body = await served.health()
    assert (status, body["status"]) == (200, "ok")
    assert "does not answer" in body["heartbeats"]
    assert (await served.predict([[1, 2, 3, 4]])).status_code == 200
    surroundings.fleet.reachable = True
    heartbeats.changed()
    await until(lambda: not heartbeats.trouble)


async def test_a_heartbeat_that_could_not_be_written_is_soon_tried_again(
    served: InProcess,
) -> None:
    """The interval is an hour; a change must not be held back for it."""
    surroundings, heartbeats = served.surroundings, served.service.heartbeats
    surroundings.fleet.reachable = False
    heartbeats.changed()
    await until(lambda: heartbeats.trouble)
    surroundings.fleet.reachable = True
    await until(lambda: not heartbeats.trouble)


async def test_an_orderly_end_takes_the_heartbeat_away(surroundings: Surroundings) -> None:
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
    async with serving(surroundings):
        await until(lambda: heard(surroundings) == ("ok", 1, "v1"))
    assert surroundings.heartbeat is None


async def test_a_heartbeat_under_way_at_the_end_does_not_stay_behind(
    surroundings: Surroundings,
) -> None:
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
    service = surroundings.service()
    with surroundings.fleet.holding("overwrite") as hold:
        await service.start()
        await until(hold.reached.is_set)
        stopping = asyncio.create_task(service.stop())
        await turns()
        hold.released.set()
        await stopping
    await until(lambda: not service.heartbeats._writing.locked())
    assert surroundings.heartbeat is None


async def test_an_end_without_the_store_is_an_end_all_the_same(surroundings: Surroundings) -> None:
    async with serving(surroundings):
        await until(lambda: surroundings.heartbeat is not None)
        surroundings.fleet.reachable = False
    assert surroundings.heartbeat is not None


async def test_draining_is_told_before_the_end(served: InProcess) -> None:
    served.service.drain()
    await until(lambda: heard(served.surroundings)[0] == "draining")


async def test_a_heartbeat_is_a_document_that_the_fleet_reads(served: InProcess) -> None:
    def is_read_as_it_was_written() -> bool:
        beat = served.surroundings.heartbeat
        if beat is None:
            return False
        stored = served.surroundings.fleet.get(keys.heartbeat("m", "production", "tested"))
        return stored is not None and document.encode(beat) == stored.data

    await until(is_read_as_it_was_written)  # another one may come between the two looks


async def test_a_change_at_the_very_moment_of_the_end_does_not_prevent_it(
    surroundings: Surroundings,
) -> None:
    heartbeats = surroundings.service().heartbeats
    for _ in range(5):
        running = asyncio.create_task(heartbeats.run())
        await until(lambda: not heartbeats._changed.is_set() and surroundings.heartbeat)
        await turns()
        heartbeats.changed()
        running.cancel()
        await asyncio.wait([running], timeout=120)
        assert running.cancelled()
