"""A fleet in trouble: power cuts, a store that is away or slow, wrong clocks, two operators."""

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import pointsman
from tests import models
from tests.cli.workspace import MODEL, Workspace, until
from tests.end_to_end.fleet import NAMES, Fleet, states, wrong_clock
from tests.servers import faulty
from tests.servers.faulty import Fault, Proxy
from tests.servers.service_process import ServiceProcess

SWITCHES = 50
DAY = timedelta(days=1)


@contextmanager
def dying(service: ServiceProcess) -> Iterator[list[int]]:
    """Cut a service's power at random moments, and start it again, until the block ends."""
    ended, deaths = threading.Event(), [0]
    seed = random.randrange(1 << 30)

    def die() -> None:
        moments = random.Random(seed)
        while not ended.wait(moments.uniform(0.2, 2.0)):
            service.kill()
            deaths[0] += 1
            service.launch()

    thread = threading.Thread(target=die)
    thread.start()
    try:
        yield deaths
    except BaseException as error:
        error.add_note(f"the moments of dying are those of seed {seed}")
        raise
    finally:
        ended.set()
        thread.join()


@pytest.mark.slow
def test_the_survivors_of_power_cuts_lose_no_request_in_fifty_switches(
    workspace: Workspace, fleet: Fleet
) -> None:
    with fleet.of(*NAMES):
        survivors = [fleet.services[name] for name in NAMES[:2]]
        with fleet.asked(*NAMES[:2]) as clients, dying(fleet.services["three"]) as deaths:
            for turn in range(SWITCHES):
                channel = workspace.registry.activate(MODEL, ("v2", "v1")[turn % 2])
                for service in survivors:
                    service.until_healthy(generation=str(channel.generation))
            until(lambda: deaths[0] > 3, "it died more than three times")
            for each in clients.values():
                each.until_answered(20)
        assert [failure for each in clients.values() for failure in each.failures] == []
        assert deaths[0] > 3
        third, present = fleet.services["three"], workspace.registry.channel(MODEL, "production")
        third.kill()
        third.start()
        third.until_healthy(generation=str(present.generation))
        assert set(fleet.answers().values()) == {2.0}


def test_two_operators_who_roll_back_at_once_end_one_step_back(
    workspace: Workspace, fleet: Fleet, tmp_path: Path
) -> None:
    workspace.registry.publish(MODEL, "v3", models.affine(tmp_path / "v3" / "model.onnx", 5.0))
    for version in ("v2", "v3"):
        workspace.registry.activate(MODEL, version)
    with (
        fleet.of("one"),
        workspace.start("rollback") as first,
        workspace.start("rollback") as second,
    ):
        told = [each.communicate(timeout=240)[1] for each in (first, second)]
    served = workspace.registry.channel(MODEL, "production").stable.version
    codes = sorted([first.returncode, second.returncode])
    if codes == [0, 1]:  # both had seen v3, and one of them was told that it was gone already
        assert served == "v2"
        assert sum("somebody else moved the channel" in each for each in told) == 1
    else:  # the second began when the first had moved the channel, and saw v2
        assert served == "v1", (codes, told)
        assert sum("was v2" in each for each in told) == 1


def test_two_operators_who_start_a_canary_at_once_start_one(
    workspace: Workspace, fleet: Fleet, tmp_path: Path
) -> None:
    workspace.registry.publish(MODEL, "v3", models.affine(tmp_path / "v3" / "model.onnx", 5.0))
    with (
        fleet.of("one"),
        workspace.start("rollout", "start", "v2") as first,
        workspace.start("rollout", "start", "v3") as second,
    ):
        told = [each.communicate(timeout=240)[1] for each in (first, second)]
    assert sorted([first.returncode, second.returncode]) == [0, 1]
    canary = workspace.registry.channel(MODEL, "production").canary
    assert canary is not None
    assert any(
        "somebody else moved the channel" in each or f"{canary.version} runs already" in each
        for each in told
    )
    assert workspace.registry.channel(MODEL, "production").generation == 2


@pytest.fixture
def proxy(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A way to the S3 server that everybody takes, and that can be spoilt."""
    with faulty.in_front_of(os.environ["AWS_ENDPOINT_URL_S3"]) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
        yield proxy


@pytest.fixture
def distant(workspace: Workspace, s3_url: str, proxy: Proxy, tmp_path: Path) -> Workspace:
    """The same workspace, with its store on the S3 server."""
    registry = pointsman.open(s3_url)
    for version in ("v1", "v2"):
        registry.publish(MODEL, version, tmp_path / version / "model.onnx")
    registry.activate(MODEL, "v1")
    workspace.file.write_text(f'model = "{MODEL}"\nstore = "{s3_url}"\n')
    return workspace


@pytest.mark.slow
def test_clocks_that_are_a_day_wrong_change_nothing(
    distant: Workspace, s3_url: str, tmp_path: Path
) -> None:
    """Of instances, and of operators: the store's clock is the only one that counts."""
    fleet = Fleet(distant, tmp_path / "far", s3_url)
    with (
        fleet.of("one", **wrong_clock(DAY)),
        fleet.of("two", **wrong_clock(-DAY)),
        fleet.of("three"),
    ):
        started = {each["instance"]: each["started"] for each in reports(distant)}
        assert started["two"] < started["three"] < started["one"], "the clocks are wrong"
        for operator in (wrong_clock(DAY), wrong_clock(-DAY)):
            for command in (("activate", "v2"), ("rollout", "start", "v1"), ("rollback",)):
                told = distant.typed(*command, variables=operator).err
                assert "✓ 3/3 on" in told
                assert "stopped reporting" not in told
            assert "✓ 3/3 on v1" in distant.typed("rollback", variables=operator).err
        assert max(each["age_seconds"] for each in reports(distant)) < 60


def reports(workspace: Workspace) -> list[dict[str, Any]]:
    """Return what every instance says of itself."""
    found: list[dict[str, Any]] = workspace.json("status")["instances"]
    return found


@pytest.mark.slow
def test_a_store_that_is_away_for_a_while_is_caught_up_with(
    distant: Workspace, s3_url: str, proxy: Proxy, tmp_path: Path
) -> None:
    fleet = Fleet(distant, tmp_path / "far", s3_url)
    with fleet.of(*NAMES), fleet.asked() as clients:
        proxy.plan(Fault.RESET, 1, always=True)
        services = fleet.services.values()
        until(
            lambda: all(each.health()[1]["status"] == "degraded" for each in services),
            "everybody notices",
        )
        assert {each.health()[0] for each in services} == {200}
        told = distant.json("activate", "v2", code=5)
        assert told["hint"]
        for each in clients.values():
            each.until_answered(20)

        proxy.heal()
        # Who has not been heard of for so long is not waited for until it is heard of again.
        until(lambda: all(each["live"] for each in reports(distant)), "everybody reports again")
        document = distant.json("activate", "v2")
        assert states(document) == dict.fromkeys(NAMES, "serving")
        assert [failure for each in clients.values() for failure in each.failures] == []


@pytest.mark.slow
def test_a_slow_store_makes_it_slow_and_nothing_else(
    distant: Workspace, s3_url: str, proxy: Proxy, tmp_path: Path
) -> None:
    fleet = Fleet(distant, tmp_path / "far", s3_url)
    with fleet.of(*NAMES), fleet.asked() as clients:
        proxy.plan(Fault.DELAY, 1, always=True)
        document = distant.json("activate", "v2")
        back = distant.json("rollback")
        assert states(document) == states(back) == dict.fromkeys(NAMES, "serving")
        assert [failure for each in clients.values() for failure in each.failures] == []
    assert proxy.spoilt > 20


@pytest.mark.slow
def test_a_blob_that_rots_while_a_canary_is_started_is_refused_and_ended(
    workspace: Workspace, fleet: Fleet
) -> None:
    with fleet.of(*NAMES):
        [file] = workspace.registry.version(MODEL, "v2").manifest.files
        blob = workspace.store / "models" / MODEL / "blobs" / file.sha256
        data = bytearray(blob.read_bytes())
        data[-1] ^= 1
        blob.write_bytes(data)
        document = workspace.json("rollout", "start", "v2", code=3)
        assert "is damaged" in document["error"]
        assert document["put_back"]["action"] == "abort"
        assert fleet.answers() == dict.fromkeys(NAMES, 2.0)
