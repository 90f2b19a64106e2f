"""`rollout …` on a fleet: confirmed, refused and put back, and every bad input told by its fix."""

from typing import Any

import pytest

from pointsman.channel import Channel
from pointsman.stores.base import ObjectStore
from tests.cli.conftest import Sources
from tests.cli.fleet import FakeInstance, following
from tests.cli.workspace import MODEL, Workspace


@pytest.fixture
def active(listed: Workspace) -> Workspace:
    """A folder whose store holds v1, v2 and v3, with v1 active."""
    listed.registry.activate(MODEL, "v1")
    return listed


@pytest.fixture
def store(active: Workspace) -> ObjectStore:
    return active.registry.store


def now(workspace: Workspace) -> Channel:
    return workspace.registry.channel(MODEL, "production")


def weight(workspace: Workspace) -> int | None:
    canary = now(workspace).canary
    return canary.weight if canary else None


def instance(store: ObjectStore, name: str = "one", **traits: Any) -> FakeInstance:
    return FakeInstance(store, MODEL, name, **traits)


def test_every_step_of_a_rollout_waits_for_the_fleet_and_tells_in_one_line(
    active: Workspace, store: ObjectStore
) -> None:
    with following(instance(store, "one"), instance(store, "two")):
        started = active.run("rollout", "start", "v2", "--weight", "5%", "--why", "better")
        raised = active.run("rollout", "set", "25")
        promoted = active.run("rollout", "promote")
    assert "✓ 2/2 on v2 at 5 % in " in started.err
    assert "· 0 failed requests · stable v1" in started.err
    assert "one serves v2 at 5 % after " in started.err
    assert "✓ 2/2 on v2 at 25 % in " in raised.err
    assert "· was 5 %" in raised.err
    assert "✓ 2/2 on v2 in " in promoted.err
    assert "· was v1" in promoted.err
    assert [change.action for change in now(active).history] == [
        "activate",
        "start",
        "set",
        "promote",
    ]
    assert now(active).history[1].why == "better"


def test_the_document_of_a_start_names_stable_canary_and_instances(
    active: Workspace, store: ObjectStore
) -> None:
    with following(instance(store)):
        document = active.json("rollout", "start", "v2")
    assert (document["action"], document["from"], document["to"]) == ("start", "v1", "v1")
    assert (document["canary"]["version"], document["canary"]["weight"]) == ("v2", 5)
    assert [(each["id"], each["state"]) for each in document["instances"]] == [("one", "serving")]


def test_an_abort_and_a_rollback_both_end_the_canary_and_nothing_else(
    active: Workspace, store: ObjectStore
) -> None:
    with following(instance(store)):
        for command in (["rollout", "abort"], ["rollback"]):
            active.run("rollout", "start", "v2")
            result = active.run(*command)
            assert "✓ 1/1 on v1 in " in result.err
            assert "· was v2 at 5 %" in result.err
            assert (now(active).stable.version, now(active).canary) == ("v1", None)


def test_a_refused_canary_is_ended_and_who_refused_it_is_named(
    active: Workspace, store: ObjectStore
) -> None:
    good, bad = instance(store, "good"), instance(store, "bad", refuses=frozenset({"v2"}))
    with following(good, bad):
        document = active.json("rollout", "start", "v2", code=3)
    assert document["error"] == "bad refused v2: no room for v2"
    assert document["hint"].startswith("The channel was put back to v1 (generation 3), and 2/2")
    assert document["put_back"]["action"] == "abort"
    assert now(active).canary is None


def test_keep_leaves_a_refused_canary_and_starting_it_again_lets_it_be_tried_again(
    active: Workspace, store: ObjectStore
) -> None:
    one = instance(store, refuses=frozenset({"v2"}))
    with following(one):
        document = active.json("rollout", "start", "v2", "--keep", code=3)
        assert "because of --keep" in document["hint"]
        assert weight(active) == 5
        one.refuses = frozenset()
        again = active.run("rollout", "start", "v2")
    assert "v2 is refused: a new generation lets it be tried again" in again.err
    assert "✓ 1/1 on v2 at 5 %" in again.err
    assert (now(active).generation, weight(active)) == (3, 5)


def test_a_refused_weight_goes_back_to_what_it_was(active: Workspace, store: ObjectStore) -> None:
    one = instance(store)
    with following(one):
        active.run("rollout", "start", "v2")
        one.refuses = frozenset({"v2"})
        active.run("rollout", "set", "50", code=3)
    assert weight(active) == 5


def test_a_refused_promotion_goes_back_to_what_was_stable(
    active: Workspace, store: ObjectStore
) -> None:
    one = instance(store)
    with following(one):
        active.run("rollout", "start", "v2")
        one.refuses = frozenset({"v2"})
        document = active.json("rollout", "promote", code=3)
    assert (document["put_back"]["to"], now(active).stable.version) == ("v1", "v1")


def test_a_canary_that_an_old_service_does_not_report_is_not_confirmed(
    active: Workspace, store: ObjectStore
) -> None:
    with following(instance(store, old=True)):
        document = active.json("rollout", "start", "v2", "--timeout", "0.3", code=4)
    assert "not confirmed within 300 ms by one" in document["error"]
    assert "`pointsman rollout abort` ends it" in document["hint"]


def test_a_shadow_is_confirmed_compared_and_ended(active: Workspace, store: ObjectStore) -> None:
    with following(instance(store)):
        started = active.run("rollout", "shadow", "v3", "--percent", "20")
        ended = active.run("rollout", "shadow", "--off")
    assert "✓ 1/1 with the shadow v3 for 20 % in " in started.err
    assert "✓ 1/1 with no shadow in " in ended.err
    assert "· was v3 for 20 %" in ended.err


def test_a_refused_shadow_is_ended(active: Workspace, store: ObjectStore) -> None:
    with following(instance(store, refuses=frozenset({"v3"}))):
        document = active.json("rollout", "shadow", "v3", code=3)
    assert document["error"] == "one refused v3: no room for v3"
    assert now(active).shadow is None


def test_a_plan_says_what_would_be_done_and_writes_nothing(active: Workspace) -> None:
    before = active.objects()
    plan = active.json("rollout", "start", "v2", "--weight", "7", "--dry-run")
    assert plan["plan"] == ["digits/production would give v2 7 % of the requests"]
    assert (plan["generation"], plan["canary"]["weight"]) == (1, 7)
    assert active.objects() == before
    active.run("rollout", "promote", "--dry-run", code=1)
    active.run("rollout", "start", "v9", "--dry-run", code=1)


@pytest.mark.parametrize(
    ("arguments", "complaint", "fix"),
    [
        (["start", "v2", "--weight", "101"], "'101' is not a whole percentage", "--weight 5"),
        (["start", "v2", "--weight", "-1"], "'-1' is not a whole percentage", "--weight 5"),
        (["start", "v2", "--weight", "2.5"], "'2.5' is not a whole percentage", "--weight 5"),
        (["set", "-5"], "'-5' is not a whole percentage from 0 to 100", "rollout set 25"),
        (["shadow", "v2", "--percent", "0"], "from 1 to 100", "--percent 10"),
        (["shadow"], "either started or ended", "--off"),
        (["shadow", "v2", "--off"], "either started or ended", "--off"),
        (["auto", "v2", "--steps", "5,5"], "does not rise", "--steps 5,25,50,100"),
        (["auto", "v2", "--steps", "0,5"], "'0' is not a whole percentage", "--steps 5,25,50,100"),
        (["auto", "v2", "--steps", "5,x"], "'x' is not a whole percentage", "--steps 5,25,50,100"),
        (["auto", "v2", "--every", "soon"], "'soon' is not a duration", "60s"),
        (["auto", "v2", "--every", "-1s"], "'-1s' is not a duration", "60s"),
        (["auto", "v2", "--max-error-rate", "200%"], "not a percentage", "1%"),
        (["auto", "v2", "--max-p99", "fast"], "neither a multiple nor a time", "1.5x"),
        (["auto", "v2", "--max-p99", "0x"], "neither a multiple nor a time", "1.5x"),
        (["auto", "v2", "--max-p99", "nanx"], "neither a multiple nor a time", "1.5x"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_does(
    active: Workspace, arguments: list[str], complaint: str, fix: str
) -> None:
    told = active.json("rollout", *arguments, code=2)
    assert complaint in told["error"]
    assert fix in told["hint"]
    assert now(active).generation == 1


@pytest.mark.parametrize(
    ("arguments", "complaint", "fix"),
    [
        (["start", "v9"], "there is no version v9", "models list"),
        (["auto", "v9"], "there is no version v9", "models list"),
        (["shadow", "v9"], "there is no version v9", "models list"),
        (["start", "v1"], "v1 is what the channel serves already", "models list"),
        (["auto", "v1"], "v1 is what the channel serves already", "models list"),
        (["shadow", "v1"], "v1 is stable in this channel", "models list"),
        (["set", "5"], "no canary is running", "rollout start"),
        (["promote"], "no canary is running", "rollout start"),
        (["abort"], "no canary is running", "rollout start"),
    ],
)
def test_what_cannot_be_done_now_is_refused_with_what_can(
    active: Workspace, arguments: list[str], complaint: str, fix: str
) -> None:
    told = active.json("rollout", *arguments, code=1)
    assert complaint in told["error"]
    assert fix in told["hint"]
    assert now(active).generation == 1


def test_an_activation_beside_a_canary_is_refused_with_both_ways_out(active: Workspace) -> None:
    active.run("rollout", "start", "v2", "--no-wait")
    told = active.json("activate", "v3", code=1)
    assert "the canary v2 runs, and gets 5 % of the requests" in told["error"]
    assert "rollout abort" in told["hint"]
    assert "rollout promote" in told["hint"]
    assert "promote" in active.json("activate", "v2", code=1)["hint"]


def test_an_upload_that_would_activate_beside_a_canary_is_refused_before_it_begins(
    active: Workspace, sources: Sources
) -> None:
    active.run("rollout", "start", "v2", "--no-wait")
    told = active.json("upload-model", "v4", sources.model("v1"), "--activate", code=1)
    assert "the canary v2 runs" in told["error"]
    assert "without --activate" in told["hint"]
    assert [each["version"] for each in active.json("models", "list")] == ["v1", "v2", "v3"]


def test_a_second_operator_is_told_which_canary_runs(active: Workspace) -> None:
    active.run("rollout", "start", "v2", "--no-wait")
    told = active.json("rollout", "start", "v3", code=1)
    assert "the canary v2 runs already, and gets 5 %" in told["error"]
    assert "rollout set" in active.json("rollout", "start", "v2", "--weight", "9", code=1)["hint"]


def test_status_compares_what_stable_canary_and_shadow_did(
    active: Workspace, store: ObjectStore
) -> None:
    active.run("rollout", "start", "v2", "--weight", "25", "--no-wait")
    active.run("rollout", "shadow", "v3", "--no-wait")

    def traffic(version: str, role: str) -> dict[str, Any]:
        return {"requests": 300 if role == "stable" else 100, "p99_seconds": 0.2}

    with following(
        instance(store, "one", traffic=traffic), instance(store, "two", traffic=traffic)
    ):
        result = active.run("rollout", "status")
        document = active.json("rollout", "status")
    assert result.out.startswith(
        "digits/production gives v1 75 % and v2 25 % of the requests; v3 computes along for 10 %\n"
    )
    rows = [line.split() for line in result.out.splitlines()[2:]]
    assert [[*row[:2], row[5]] for row in rows] == [
        ["v1", "stable", "600"],
        ["v2", "canary", "200"],
        ["v3", "shadow", "200"],
    ]
    assert [(each["role"], each["percent"]) for each in document["versions"]] == [
        ("stable", 75),
        ("canary", 25),
        ("shadow", 10),
    ]


def test_status_without_a_rollout_says_how_to_begin_one(active: Workspace) -> None:
    assert "`pointsman rollout start" in active.run("rollout", "status").err


def test_versions_are_listed_with_the_channels_in_which_they_are_canary(active: Workspace) -> None:
    active.run("rollout", "start", "v2", "--no-wait")
    listed = {each["version"]: each["active_in"] for each in active.json("models", "list")}
    assert listed == {"v1": ["production"], "v2": ["production (canary)"], "v3": []}
