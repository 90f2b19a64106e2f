"""`rollout auto` on a fleet: it climbs while all is well, and returns when it is not."""

import re
import signal
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from pointsman.channel import Channel
from pointsman.errors import StoreUnreachable
from pointsman.stores.base import ObjectStore
from pointsman_cli.context import Context
from tests.cli.fleet import FakeInstance, following
from tests.cli.workspace import MODEL, Workspace, until
from tests.fakes.unreliable_store import WrappedStore

Result = TypeVar("Result")
QUICK = ("--steps", "5,50,100", "--every", "0.3s")


@pytest.fixture
def active(listed: Workspace) -> Workspace:
    """A folder whose store holds v1, v2 and v3, with v1 active."""
    listed.registry.activate(MODEL, "v1")
    return listed


@pytest.fixture
def store(active: Workspace) -> ObjectStore:
    return active.registry.store


class Traffic:
    """Requests that go on and on; `canary` is what a look adds to a canary's counters."""

    def __init__(self, **canary: Any) -> None:
        self._canary = {"requests": 50, "p99_seconds": 0.01} | canary
        self.looks = 0

    def __call__(self, version: str, role: str) -> dict[str, Any]:
        """Return a version's counters at this look."""
        self.looks += 1
        if role != "canary":
            return {"requests": 50 * self.looks, "p99_seconds": 0.01}
        return {
            name: value * self.looks if type(value) is int else value
            for name, value in self._canary.items()
        }


def fleet(store: ObjectStore, **canary: Any) -> FakeInstance:
    return FakeInstance(store, MODEL, traffic=Traffic(**canary))


def now(workspace: Workspace) -> Channel:
    return workspace.registry.channel(MODEL, "production")


def test_it_climbs_to_the_top_and_tells_every_step(active: Workspace, store: ObjectStore) -> None:
    with following(fleet(store)):
        document = active.json("rollout", "auto", "v2", *QUICK, "--why", "better")
    assert (document["outcome"], document["to"]) == ("promoted", "v2")
    assert [(each["weight"], each["errors"]) for each in document["steps"]] == [(5, 0), (50, 0)]
    assert all(each["requests"] >= 20 for each in document["steps"])
    history = now(active).history
    assert [each.action for each in history] == ["activate", "start", "set", "promote"]
    assert {each.why for each in history[1:]} == {"better"}


def test_people_read_a_line_for_every_step(active: Workspace, store: ObjectStore) -> None:
    with following(fleet(store)):
        told = active.run("rollout", "auto", "v2", *QUICK).err
    assert "✓ 1/1 on v2 at 5 % in" in told
    assert re.search(r"v2 at 5 % for [\d.]+ m?s", told)
    assert "0 errors, p99 10 ms (stable 10 ms)" in told
    assert "✓ 1/1 on v2 in" in told


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ({"errors": 5}, "requests to v2 failed, and 1 % is the limit"),
        ({"p99_seconds": 0.1}, "the p99 of v2 is 100 ms, 10.0 times that of v1"),
        ({"nonfinite": 1}, "of v2 held NaN or infinity"),
        ({"constant": True}, "the outputs of v2 are always the same on 1 instance"),
    ],
)
def test_a_broken_limit_returns_everything_to_stable(
    active: Workspace, store: ObjectStore, bad: dict[str, Any], complaint: str
) -> None:
    with following(fleet(store, **bad)):
        document = active.json("rollout", "auto", "v2", *QUICK, code=3)
    assert complaint in document["error"]
    assert "The rollout was ended: 1/1 on v1 in" in document["hint"]
    assert (document["outcome"], document["steps"]) == ("returned", [])
    channel = now(active)
    assert (channel.stable.version, channel.canary) == ("v1", None)
    assert complaint in channel.history[-1].why


def test_a_refusal_returns_everything_to_stable(active: Workspace, store: ObjectStore) -> None:
    one = fleet(store)
    one.refuses = frozenset({"v2"})
    with following(one):
        document = active.json("rollout", "auto", "v2", *QUICK, code=3)
    assert document["error"] == "one refused v2: no room for v2"
    assert now(active).canary is None


def test_people_are_told_once_why_it_returned(active: Workspace, store: ObjectStore) -> None:
    with following(fleet(store, nonfinite=1)):
        told = active.run("rollout", "auto", "v2", *QUICK, code=3).err
    assert "ending the rollout: everything returns to the stable version" in told
    assert told.count("held NaN or infinity") == 1


def test_it_does_not_climb_while_the_canary_gets_no_requests(
    active: Workspace, store: ObjectStore
) -> None:
    traffic = Traffic(requests=0)
    with (
        following(FakeInstance(store, MODEL, traffic=traffic)),
        active.start("rollout", "auto", "v2", *QUICK, "--json") as process,
    ):
        until(lambda: now(active).canary, "the canary runs")
        seen = traffic.looks
        until(lambda: traffic.looks > seen + 100, "many times the 0.3 s have passed")
        assert now(active).generation == 2
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=240)
    assert process.returncode == 130
    assert "v2 keeps 5 % of the requests: the same command goes on from there" in err
    assert '"generation": 2' in out
    canary = now(active).canary
    assert canary is not None
    assert canary.weight == 5


def test_it_goes_on_where_a_canary_stands(active: Workspace, store: ObjectStore) -> None:
    with following(fleet(store)):
        active.run("rollout", "start", "v2", "--weight", "30")
        document = active.json("rollout", "auto", "v2", *QUICK)
    assert [each["weight"] for each in document["steps"]] == [50]


def test_a_last_step_below_100_is_held(active: Workspace, store: ObjectStore) -> None:
    with following(fleet(store)):
        document = active.json("rollout", "auto", "v2", "--steps", "5,10", "--every", "0.2s")
    assert (document["outcome"], document["canary"]["weight"]) == ("held", 10)


def test_somebody_elses_move_ends_the_climbing_and_is_left_as_it_is(
    active: Workspace, store: ObjectStore
) -> None:
    with (
        following(fleet(store)),
        active.start("rollout", "auto", "v2", "--steps", "5,100", "--every", "60s") as process,
    ):
        until(lambda: now(active).canary, "the canary runs")
        active.registry.rollout(MODEL, by="grace").set(7)
        _, err = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "somebody else moved the channel: grace did `set`" in err
    assert "leaves the channel as it is" in err
    assert now(active).generation == 3


class AwayForAWhile(WrappedStore):
    """A store whose listings fail from one to another."""

    def __init__(self, inner: ObjectStore, away: range) -> None:
        super().__init__(inner)
        self._away = away
        self.listings = 0

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        self.listings += name == "scan"
        if name == "scan" and self.listings in self._away:
            raise StoreUnreachable("the store does not answer")
        return work()


@pytest.mark.parametrize("when", [range(1, 3), range(5, 12), range(8, 9)])
def test_a_store_that_does_not_answer_makes_it_wait_and_nothing_else(
    active: Workspace, store: ObjectStore, monkeypatch: pytest.MonkeyPatch, when: range
) -> None:
    away = AwayForAWhile(store, when)
    monkeypatch.setattr(Context, "fleet_store", property(lambda _: away))
    with following(fleet(store)):
        document = active.json("rollout", "auto", "v2", *QUICK)
    assert document["outcome"] == "promoted"
    assert away.listings >= when.stop


def test_its_plan_names_the_steps_ahead(active: Workspace) -> None:
    before = active.objects()
    plan = active.json("rollout", "auto", "v2", "--dry-run")
    assert plan["steps"] == [5, 25, 50]
    assert plan["plan"] == [
        "v2: 5 % → 25 % → 50 % → promote; each share for 60 s and at least 20 requests"
    ]
    assert active.objects() == before


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--every", "0s"), "--every 0s watches nothing"),
        (("--max-p99", "infx"), "--max-p99 'infx' is neither a multiple nor a time"),
    ],
)
def test_a_rollout_that_nothing_could_stop_is_refused(
    active: Workspace, options: tuple[str, ...], complaint: str
) -> None:
    assert complaint in active.run("rollout", "auto", "v2", *options, code=2).err
    assert now(active).canary is None
