"""`models`, `history`, `status`: what they show, to people and to machines."""

import os
from typing import Any

from pointsman import fleet, keys
from pointsman.heartbeat import Bake, ServableReport
from tests.cli.conftest import Sources
from tests.cli.fleet import having_failed, heartbeat
from tests.cli.workspace import MODEL, Workspace


def test_versions_are_listed_with_what_is_known_of_them(published: Workspace) -> None:
    published.registry.activate(MODEL, "v2")
    published.registry.activate(MODEL, "v2", "staging")
    first, second = published.json("models", "list")
    assert (first["version"], first["active_in"]) == ("v1", [])
    assert (second["version"], second["active_in"]) == ("v2", ["production", "staging"])
    assert first["digest"].startswith("sha256:")
    assert set(first) == {
        "model", "version", "digest", "created", "bytes", "metrics", "labels", "note", "active_in",
    }  # fmt: skip


def test_a_long_note_leaves_the_table_a_table(workspace: Workspace, sources: Sources) -> None:
    note = "why " * 50
    workspace.run("upload-model", "v1", sources.model("v1"), "--note", note)
    assert all(len(line) < 200 for line in workspace.run("models", "list").out.splitlines())
    assert note.strip() in " ".join(workspace.run("models", "show", "v1").out.split())


def test_an_empty_store_is_an_empty_list_and_stays_empty(workspace: Workspace) -> None:
    assert workspace.json("models", "list") == []
    assert "holds no models yet" in workspace.run("models", "list").err
    assert not workspace.store.exists()


def test_one_model_can_be_listed_by_name_or_by_option(listed: Workspace) -> None:
    assert len(listed.json("models", "list", MODEL)) == 3
    assert len(listed.json("models", "list", "--model", MODEL)) == 3


def test_a_version_is_shown_as_its_manifest_with_its_digest(published: Workspace) -> None:
    shown = published.json("models", "show", "v1")
    assert shown["digest"] == published.registry.version(MODEL, "v1").digest
    assert shown["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
    assert "x FP32[-1,4]" in published.run("models", "show", "v1").out


def test_without_a_name_the_active_version_is_shown(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v2")
    assert listed.json("models", "show")["version"] == "v2"


def test_history_is_newest_first_and_limited(listed: Workspace) -> None:
    for version in ("v1", "v2", "v3"):
        listed.registry.activate(MODEL, version, why=f"try {version}", by="somebody")
    changes = listed.json("history", "--limit", "2")
    assert [(each["generation"], each["version"]) for each in changes] == [(3, "v3"), (2, "v2")]
    assert "and 1 earlier change; --limit shows more" in listed.run("history", "-n", "2").err
    assert set(changes[0]) == {
        "generation", "action", "version", "digest", "by", "at", "why", "host", "canary", "shadow",
        "discards", "nonce",
    }  # fmt: skip
    header, newest, *_ = listed.run("history").out.splitlines()
    assert header.split("  ")[0] == "generation"
    assert newest.endswith(f"somebody on {changes[0]['host']}  try v3")


def test_status_without_instances_says_what_to_type(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1", by="somebody", why="first")
    result = listed.run("status")
    assert result.out.startswith("digits/production names v1; generation 1, since ")
    assert result.out.endswith("by somebody (first)\n")
    assert "`pointsman deploy` starts one" in result.err
    document = listed.json("status")
    assert (document["instances"], document["deployment"]) == ([], None)


def test_status_tells_of_every_instance_how_it_is(listed: Workspace) -> None:
    store = listed.registry.store
    stable = listed.registry.activate(MODEL, "v1").stable
    listed.registry.activate(MODEL, "v2")
    serving = listed.registry.channel(MODEL, "production").stable
    up = {"serving": "v2", "serving_digest": serving.digest, "rollback_readiness": "resident"}
    old = {"serving": "v1", "serving_digest": stable.digest, "servables": (having_failed(3),)}
    fleet.beat(store, heartbeat("good", MODEL, 2, **up))
    fleet.beat(store, heartbeat("slow", MODEL, 1, **old))
    fleet.beat(store, heartbeat("unwilling", MODEL, 2, refused="no room", **old))
    fleet.beat(store, heartbeat("idle", MODEL, 1, status="asleep", **old))
    fleet.beat(store, heartbeat("dead", MODEL, 1, **old))
    os.utime(listed.store / keys.heartbeat(MODEL, "production", "dead"), (0, 0))

    result = listed.run("status")
    assert "names v2, served by 1 of 3 instances; generation 2" in result.out
    rows = {line.split()[0]: line for line in result.out.splitlines()[2:]}
    assert "resident" in rows["good"]
    assert "1, behind" in rows["slow"]
    assert "stale" in rows["dead"]
    assert "asleep" in rows["idle"]
    assert "! unwilling: no room" in result.err

    document = listed.json("status")
    assert set(document) == {
        "model", "channel", "generation", "stable", "canary", "shadow", "deployment", "instances",
        "versions", "rollback",
    }  # fmt: skip
    live = {each["instance"]: each["live"] for each in document["instances"]}
    assert live == {"good": True, "slow": True, "unwilling": True, "idle": False, "dead": False}


def beating(workspace: Workspace, **changes: Any) -> None:
    """Let an instance serve what the channel names."""
    channel = workspace.registry.channel(MODEL, "production")
    serving = {"serving": channel.stable.version, "serving_digest": channel.stable.digest}
    beat = heartbeat("one", MODEL, channel.generation, **(serving | changes))
    fleet.beat(workspace.registry.store, beat)


def test_status_says_how_a_rollback_would_go(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    beating(listed)
    assert "a rollback has nowhere to go" in listed.run("status").out

    listed.registry.activate(MODEL, "v2")
    beating(listed, rollback_readiness="resident", rollback_seconds=0.04)
    assert "a rollback would go to v1 · 40 ms: resident" in listed.run("status").out
    beating(listed, rollback_readiness="download", rollback_seconds=9)
    assert "a rollback would go to v1 · 9.0 s: download" in listed.run("status").out
    assert listed.json("status")["rollback"] == {
        "to": "v1", "ends_canary": None, "possible": True, "reason": "",
    }  # fmt: skip

    listed.registry.rollout(MODEL).start("v3", 5)
    beating(listed, rollback_readiness="resident")
    assert "a rollback would end the canary v3: v2 is serving" in listed.run("status").out


def test_a_rollback_to_a_version_whose_blob_is_gone_is_called_impossible(
    listed: Workspace,
) -> None:
    for version in ("v1", "v2"):
        listed.registry.activate(MODEL, version)
    [file] = listed.registry.version(MODEL, "v1").manifest.files
    listed.registry.store.delete(keys.blob(MODEL, file.sha256))

    beating(listed, rollback_readiness="download", rollback_seconds=9)
    told = listed.run("status").out
    assert "a rollback to v1 is impossible: the blob of model.onnx is missing" in told
    row = next(line for line in told.splitlines() if line.startswith("one "))
    assert row.endswith("impossible: the blob of model.onnx is missing")
    assert listed.json("status")["rollback"]["possible"] is False

    beating(listed, rollback_readiness="resident", rollback_seconds=0.001)
    assert "1 ms: resident; but the blob of model.onnx is missing" in listed.run("status").out


def test_status_sums_up_every_version_in_memory(listed: Workspace) -> None:
    for version in ("v1", "v2"):
        listed.registry.activate(MODEL, version)
    reports = [
        ServableReport(
            version=version,
            digest=listed.registry.version(MODEL, version).digest,
            state="ready",
            since="",
            requests=requests,
            errors=1,
        )
        for version, requests in (("v1", 70), ("v2", 30))
    ]
    beating(listed, servables=tuple(reports))

    told = [line.split()[:6] for line in listed.run("status").out.splitlines()[2:4]]
    assert told[0] == ["v2", "stable", "100", "%", "1", "30"]
    assert told[1] == ["v1", "waiting", "0", "%", "1", "70"]


def test_status_shows_how_requests_are_shared_and_who_went_back(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    listed.registry.rollout(MODEL).start("v2", 25)
    bake = Bake(version="v1", state="returned", reason="12 % errors")
    beating(listed, canary_refused="no room for v2", bake=bake, image="registry.example/a/b:1")

    result = listed.run("status")

    assert "names v1, and v2 for 25 % of the requests, served by 1 of 1" in result.out
    assert "b:1" in result.out
    assert "! one: no room for v2" in result.err
    assert "! one: went back from v1: 12 % errors" in result.err
    document = listed.json("status")
    assert [(each["version"], each["percent"]) for each in document["versions"]] == [
        ("v1", 75),
        ("v2", 25),
    ]


def test_what_an_instance_complains_of_is_told_once(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    reason = "canary v2: v2 does not load"
    beating(listed, degraded=reason, canary_refused=reason)
    assert listed.run("status").err.count("v2 does not load") == 1
    bake = Bake(version="v1", state="returned", reason="12 % errors")
    beating(listed, refused="v1 was left again: 12 % errors", bake=bake)
    assert listed.run("status").err.count("12 % errors") == 1
    bake = Bake(
        version="v1", state="watching", reason="12 % errors; there is nothing to go back to"
    )
    beating(listed, bake=bake)
    told = "should have gone back from v1: 12 % errors; there is nothing to go back to"
    assert told in listed.run("status").err


def test_status_tells_what_looking_and_reporting_cost_if_asked(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    beating(listed, poll_seconds=2.0)
    assert "month" not in listed.run("status").out
    told = listed.run("status", "--cost").out
    assert "following, by 1 instance (a look every 2.0 s, a report every 30 s): S3 $0.95" in told
    cost = listed.json("status", "--cost")["cost"]
    assert cost["dollars_per_month"]["s3"] == {"polling": 0.52, "heartbeats": 0.43}
    assert cost["dollars_per_month"]["railway"] == {"polling": 0.0, "heartbeats": 0.0}


def test_the_cost_of_a_rollout_is_told_as_what_it_is(listed: Workspace) -> None:
    """Instances report every 5 seconds while a canary runs."""
    listed.registry.activate(MODEL, "v1")
    listed.registry.rollout(MODEL).start("v2", 5)
    beating(listed, poll_seconds=2.0)
    told = listed.run("status", "--cost").out
    assert "a report every 5.0 s while a canary runs): S3 $3.11" in told
    assert listed.json("status", "--cost")["cost"]["heartbeat_seconds"] == 5.0


def test_a_plan_says_what_memory_makes_of_the_version_on_every_instance(
    listed: Workspace,
) -> None:
    listed.registry.activate(MODEL, "v1")
    beating(listed, memory_available_bytes=10 << 20)
    plan = listed.json("activate", "v2", "--dry-run")["plan"]
    assert plan[0] == "move digits/production from v1 to v2"
    assert plan[1].startswith("one refuses it for want of memory: v2 needs 0 MB, 10 MB are free")
    beating(listed, memory_available_bytes=1 << 30)
    told = listed.run("activate", "v2", "--dry-run").out
    assert "one loads it beside what serves" in told


def test_plans_say_what_would_be_done(listed: Workspace) -> None:
    plan = listed.json("activate", "v1", "--dry-run")
    assert plan["plan"] == ["move digits/production from nothing to v1"]
    listed.registry.activate(MODEL, "v1")
    listed.registry.activate(MODEL, "v2")
    assert "leave digits/production at v2" in listed.run("activate", "v2", "--dry-run").out
    before = listed.objects()
    document = listed.json("rollback", "--dry-run")
    assert document == {
        "model": MODEL,
        "channel": "production",
        "action": "rollback",
        "generation": 2,
        "from": "v2",
        "to": "v1",
        "canary": None,
        "shadow": None,
        "dry_run": True,
        "plan": ["move digits/production from v2 to v1"],
    }
    assert listed.objects() == before


def test_what_others_wrote_into_the_store_cannot_steer_the_terminal(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1", why="\x1b]0;owned\x07", by="\x1b[2J")
    for command in ("history", "status"):
        result = listed.run(command)
        assert "\x1b" not in result.out + result.err
