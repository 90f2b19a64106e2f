"""`activate` and `rollback` on a fleet: confirmed, refused and put back, or left alone and said."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pointsman import fleet, keys
from pointsman.channel import Channel
from pointsman.stores.base import ObjectStore
from tests import models
from tests.cli.fleet import FakeInstance, following, heartbeat
from tests.cli.workspace import MODEL, Workspace


@pytest.fixture
def store(listed: Workspace) -> ObjectStore:
    return listed.registry.store


def now(workspace: Workspace) -> Channel:
    return workspace.registry.channel(MODEL, "production")


def instance(store: ObjectStore, name: str = "one", **traits: Any) -> FakeInstance:
    return FakeInstance(store, MODEL, name, **traits)


def test_an_activation_waits_for_every_instance(listed: Workspace, store: ObjectStore) -> None:
    listed.registry.activate(MODEL, "v1")
    with following(instance(store, "one"), instance(store, "two")):
        result = listed.run("activate", "v2", "--why", "better")
    assert "✓ 2/2 on v2 in " in result.err
    assert "· 0 failed requests · was v1" in result.err
    assert now(listed).history[-1].why == "better"


def test_the_document_names_every_instance(listed: Workspace, store: ObjectStore) -> None:
    listed.registry.activate(MODEL, "v1")
    with following(instance(store)):
        document = listed.json("activate", "v2")
    [answer] = document.pop("instances")
    assert document.pop("seconds") == answer.pop("seconds") > 0
    assert answer == {"id": "one", "state": "serving", "version": "v2", "reason": ""}
    assert document == {
        "model": MODEL,
        "channel": "production",
        "action": "activate",
        "generation": 2,
        "from": "v1",
        "to": "v2",
        "canary": None,
        "shadow": None,
        "stale": [],
        "failed_requests": 0,
    }


def test_a_rollback_waits_too(listed: Workspace, store: ObjectStore) -> None:
    listed.registry.activate(MODEL, "v1")
    listed.registry.activate(MODEL, "v2")
    with following(instance(store)):
        document = listed.json("rollback")
    assert (document["from"], document["to"]) == ("v2", "v1")
    assert [each["state"] for each in document["instances"]] == ["serving"]


def test_without_instances_a_move_says_that_nobody_serves(listed: Workspace) -> None:
    assert "production names v1 · no instance is running" in listed.run("activate", "v1").err


def test_no_wait_asks_nobody(listed: Workspace, store: ObjectStore) -> None:
    listed.registry.activate(MODEL, "v1")
    with following(instance(store, silent_from=2)):
        document = listed.json("activate", "v2", "--no-wait")
    assert (document["to"], document["instances"], document["seconds"]) == ("v2", [], None)


def test_what_is_active_already_is_confirmed_and_not_moved(
    listed: Workspace, store: ObjectStore
) -> None:
    listed.registry.activate(MODEL, "v1")
    with following(instance(store)):
        result = listed.run("activate", "v1")
    assert "✓ production names v1 already · 1/1 serve it" in result.err
    assert now(listed).generation == 1


def test_a_refusal_puts_the_channel_back(listed: Workspace, store: ObjectStore) -> None:
    listed.registry.activate(MODEL, "v1")
    with following(instance(store, refuses=frozenset({"v2"}))):
        result = listed.run("activate", "v2", code=3)
    assert "error: one refused v2: no room for v2" in result.err
    assert "put back to v1 (generation 3), and 1/1 serve it." in result.err
    channel = now(listed)
    assert (channel.stable.version, channel.history[-1].action) == ("v1", "rollback")
    assert channel.history[-1].why == "one refused v2: no room for v2"


def test_a_refusal_is_a_document_that_says_who_and_why_and_what_was_done(
    listed: Workspace, store: ObjectStore
) -> None:
    listed.registry.activate(MODEL, "v1")
    good, bad = instance(store, "good"), instance(store, "bad", refuses=frozenset({"v2"}))
    with following(good, bad):
        document = listed.json("activate", "v2", code=3)
    refused = [each for each in document["instances"] if each["state"] == "refused"]
    assert [(each["id"], each["reason"]) for each in refused] == [("bad", "no room for v2")]
    assert (document["from"], document["to"], document["generation"]) == ("v1", "v2", 2)
    back = document["put_back"]
    assert (back["from"], back["to"], back["generation"]) == ("v2", "v1", 3)
    assert [each["state"] for each in back["instances"]] == ["serving", "serving"]
    assert "refused v2" in document["error"]


def test_keep_leaves_a_refused_version_in_the_channel(
    listed: Workspace, store: ObjectStore
) -> None:
    listed.registry.activate(MODEL, "v1")
    with following(instance(store, refuses=frozenset({"v2"}))):
        document = listed.json("activate", "v2", "--keep", code=3)
    assert document["put_back"] is None
    assert document["hint"] == (
        "The channel names v2 all the same, because of --keep: `pointsman status` shows what the "
        "others make of it, `pointsman rollback` goes back."
    )
    assert now(listed).stable.version == "v2"


def test_a_refused_version_that_was_active_before_is_tried_again_and_stays(
    listed: Workspace, store: ObjectStore
) -> None:
    listed.registry.activate(MODEL, "v1")
    with following(instance(store, refuses=frozenset({"v1"}))):
        document = listed.json("activate", "v1", code=3)
    assert document["hint"] == "The channel named v1 before, and still does."
    assert document["put_back"] is None
    assert now(listed).generation == 2, "which makes the instance try again"


def test_a_refusal_that_was_cured_is_confirmed_by_activating_again(
    listed: Workspace, store: ObjectStore
) -> None:
    listed.registry.activate(MODEL, "v1")
    one = instance(store, refuses=frozenset({"v2"}))
    with following(one):
        listed.run("activate", "v2", "--keep", code=3)
        one.refuses = frozenset()
        result = listed.run("activate", "v2")
    assert "v2 is refused: a new generation lets it be tried again" in result.err
    assert "✓ 1/1 on v2 in " in result.err
    assert now(listed).generation == 3


def test_a_first_activation_that_is_refused_has_nothing_to_go_back_to(
    listed: Workspace, store: ObjectStore
) -> None:
    with following(instance(store, refuses=frozenset({"v1"}))):
        document = listed.json("activate", "v1", code=3)
    assert (document["from"], document["put_back"]) == (None, None)
    assert document["hint"] == "There was nothing to put the channel back to: it names v1."


def test_a_rollback_that_is_refused_is_undone(listed: Workspace, store: ObjectStore) -> None:
    listed.registry.activate(MODEL, "v1")
    listed.registry.activate(MODEL, "v2")
    with following(instance(store, refuses=frozenset({"v1"}))):
        document = listed.json("rollback", code=3)
    assert document["put_back"]["to"] == "v2"
    channel = now(listed)
    assert (channel.stable.version, channel.history[-1].action) == ("v2", "activate")


def test_a_channel_that_somebody_else_moved_meanwhile_is_left_alone(
    listed: Workspace, store: ObjectStore
) -> None:
    listed.registry.activate(MODEL, "v1")

    def others_move_first(channel: Channel) -> bool:
        if channel.stable.version == "v2":
            listed.registry.activate(MODEL, "v3")
        return True

    one = instance(store, refuses=frozenset({"v2"}), answers=others_move_first, silent_from=3)
    with following(one):
        result = listed.run("activate", "v2", code=3)
    assert "The channel was not put back: somebody else moved the channel" in result.err
    assert now(listed).stable.version == "v3"


def test_a_channel_that_was_moved_on_before_anyone_served_is_not_called_done(
    listed: Workspace, store: ObjectStore
) -> None:
    listed.registry.activate(MODEL, "v1")

    def misses_the_second_version(channel: Channel) -> bool:
        if channel.stable.version == "v2":
            listed.registry.activate(MODEL, "v3")
        return channel.stable.version != "v2"

    with following(instance(store, answers=misses_the_second_version)):
        document = listed.json("activate", "v2", code=4)
    assert "somebody moved the channel on before one served v2" in document["error"]
    assert [each["state"] for each in document["instances"]] == ["superseded"]


def test_an_instance_that_says_nothing_is_named_when_time_is_up(
    listed: Workspace, store: ObjectStore
) -> None:
    listed.registry.activate(MODEL, "v1")
    with following(instance(store, silent_from=2)):
        result = listed.run("activate", "v2", "--timeout", "0.3", code=4)
    assert "not confirmed within 300 ms by one; the channel names v2 all the same" in result.err
    assert now(listed).stable.version == "v2"


def test_what_goes_back_from_a_rollback_is_not_another_one(
    listed: Workspace, store: ObjectStore
) -> None:
    for version in ("v1", "v2"):
        listed.registry.activate(MODEL, version)
    with following(instance(store, silent_from=3)):
        forward = listed.json("activate", "v3", "--timeout", "0.1", code=4)
        assert "`pointsman rollback` goes back" in forward["hint"]
        backward = listed.json("rollback", "--timeout", "0.1", code=4)
        assert "`pointsman activate v3` returns" in backward["hint"]


def test_an_instance_that_died_is_named_and_not_waited_for(
    listed: Workspace, store: ObjectStore
) -> None:
    listed.registry.activate(MODEL, "v1")
    dead = instance(store, "dead", silent_from=2)
    with following(dead):
        beat = listed.store / keys.heartbeat(MODEL, "production", "dead")
        os.utime(beat, (0, 0))
        result = listed.run("activate", "v2")
        document = listed.json("activate", "v2")
    assert "! dead stopped reporting a while ago and was not waited for" in result.err
    assert document["stale"] == ["dead"]


def test_an_instance_that_rests_is_named_as_one_that_will_follow(
    listed: Workspace, store: ObjectStore
) -> None:
    listed.registry.activate(MODEL, "v1")
    fleet.beat(store, heartbeat("idle", MODEL, 1, status="asleep", serving="v1"))
    with following(instance(store)):
        result = listed.run("activate", "v2")
    assert "1/1 on v2" in result.err
    assert "idle rests, and follows at the next request for a prediction" in result.err


def test_a_version_that_the_fleet_refused_is_not_gone_back_to(
    listed: Workspace, store: ObjectStore
) -> None:
    """An instance may refuse long after the switch: then the channel goes on naming it."""
    for version in ("v1", "v2"):
        listed.registry.activate(MODEL, version)
    _make_it_an_hour(listed, "v2")
    with following(instance(store, refuses=frozenset({"v2"}))):
        listed.run("activate", "v3")
        assert now(listed).history[-1].discards
        assert listed.json("rollback", "--dry-run")["to"] == "v1"
        assert "activate, leaving a refused one" in listed.run("history").out
        document = listed.json("rollback", "--to", "v2", code=1)
    assert document["error"].endswith("v2 did not serve before v3 in this channel")


def test_a_second_bad_version_in_a_row_is_put_back_to_the_last_good_one(
    listed: Workspace, store: ObjectStore
) -> None:
    listed.registry.activate(MODEL, "v1")
    with following(instance(store, refuses=frozenset({"v2", "v3"}))):
        listed.run("activate", "v2", "--keep", code=3)
        document = listed.json("activate", "v3", code=3)
    assert document["hint"].startswith("The channel was put back to v1 (generation 4), and 1/1")
    assert now(listed).stable.version == "v1"


def test_a_reason_names_the_version_once(listed: Workspace, store: ObjectStore) -> None:
    listed.registry.activate(MODEL, "v1")
    one = instance(store, refuses=frozenset({"v2"}), because="v2 does not reproduce its golden set")
    with following(one):
        activated = listed.json("activate", "v2", code=3)["error"]
        one.because = "canary v2: v2 does not reproduce its golden set"
        started = listed.json("rollout", "start", "v2", code=3)["error"]
    assert activated == started == "one refused v2: it does not reproduce its golden set"


def test_activating_other_tensors_warns_of_what_clients_will_notice(
    listed: Workspace, tmp_path: Path
) -> None:
    listed.registry.activate(MODEL, "v1")
    listed.registry.publish(MODEL, "other", models.pair(tmp_path / "other" / "model.onnx"))
    told = listed.run("activate", "other", "--dry-run").err
    assert "! its inputs differ from those of v1, which is active: x FP32[-1,4] → a FP32" in told
    assert "! its outputs differ from those of v1, which is active: y FP32[-1,4] → total" in told
    assert "differ" not in listed.run("activate", "v2", "--dry-run").err


def test_a_refusal_after_publishing_says_that_the_version_is_published(
    published: Workspace, sources: Any
) -> None:
    published.registry.activate(MODEL, "v1")
    with following(instance(published.registry.store, refuses=frozenset({"v3"}))):
        document = published.json("upload-model", "v3", sources.model("v2"), "--activate", code=3)
    assert document["published"]["version"] == "v3"
    assert document["put_back"]["to"] == "v1"


def test_a_rollback_goes_to_the_last_version_that_was_healthy_for_as_long_as_asked(
    listed: Workspace, store: ObjectStore
) -> None:
    for version in ("v1", "v2", "v3"):
        listed.registry.activate(MODEL, version)
    _make_it_an_hour(listed, "v1")
    assert listed.json("rollback", "--dry-run")["to"] == "v1"
    assert listed.json("rollback", "--dry-run", "--min-healthy", "0")["to"] == "v2"
    assert listed.json("rollback", "--dry-run", "--min-healthy", "2h")["to"] == "v2", "none was"
    assert listed.json("rollback", "--to", "v2", "--no-wait")["to"] == "v2"
    assert "not a duration" in listed.json("rollback", "--min-healthy", "long", code=2)["error"]


def _make_it_an_hour(workspace: Workspace, version: str) -> None:
    """Let a version have been stable since an hour before the next one came."""
    path = workspace.store / keys.channel(MODEL, "production")
    document = json.loads(path.read_text())
    entry = next(each for each in document["history"] if each["version"] == version)
    moment = datetime.fromisoformat(entry["at"]) - timedelta(hours=1)
    entry["at"] = moment.isoformat()
    path.write_text(json.dumps(document))
