"""Deploying on any platform: in which order, what stops it, and what each end is called."""

import os
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from pointsman import findings
from pointsman.channel import Pointer
from pointsman_cli.errors import DeploymentFailed, Unverified
from pointsman_cli.platforms import discovery, removing
from pointsman_cli.platforms.base import ImageFrom
from tests.cli.scripted_service import ScriptedService, healthy, serving
from tests.cli.workspace import MODEL, Workspace
from tests.fakes import container_engine
from tests.fakes.scripted_platform import Script, ScriptedPlatform

SCRIPTED = EntryPoint(
    name="scripted",
    value="tests.fakes.scripted_platform:ScriptedPlatform",
    group=discovery.GROUP,
)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """A platform called `scripted`, which came through the door for everybody's."""
    monkeypatch.setattr(discovery, "entry_points", lambda **_: EntryPoints([SCRIPTED]))
    monkeypatch.setattr(ScriptedPlatform, "script", Script())
    return ScriptedPlatform.script


@pytest.fixture
def active(published: Workspace) -> Pointer:
    """v1 is active; commands work on the scripted platform."""
    published.file.write_text(f'model = "{MODEL}"\nplatform = "scripted"\n')
    return published.registry.activate(MODEL, "v1").stable


@pytest.fixture
def service(script: Script, active: Pointer) -> Iterator[ScriptedService]:
    """A service that serves v1 where the platform says."""
    with serving(ScriptedService(active.digest, health=[healthy(1, active.digest)])) as service:
        script.url = service.url
        yield service


def test_what_is_released_is_proven(
    published: Workspace, script: Script, service: ScriptedService
) -> None:
    document = published.json("deploy")
    assert (document["verdict"], document["golden_rows"]) == ("verified", 3)
    assert script.asked == ["check", "deploy"]


def test_an_error_that_is_found_stops_it_before_anything_changes(
    published: Workspace, script: Script, service: ScriptedService
) -> None:
    script.findings = [
        findings.warning("a", "a is odd", "Look at a."),
        findings.error("b", "b is missing", "Make b."),
        findings.error("c", "is c running?", "Start it."),
    ]
    result = published.run("deploy", code=1)
    assert "error: b is missing" in result.err
    assert "Make b." in result.err
    assert "       Also: is c running? Start it." in result.err
    assert script.asked == ["check"]
    document = published.json("deploy", code=1)
    assert [each["check"] for each in document["findings"]] == ["a", "b", "c"]


def test_a_warning_is_told_and_does_not_stop_it(
    published: Workspace, script: Script, service: ScriptedService
) -> None:
    script.findings = [findings.warning("a", "a is odd", "Look at a.")]
    assert "! a is odd\n  Look at a.\n" in published.run("deploy").err


def test_a_dry_run_tells_all_and_changes_nothing(
    published: Workspace, script: Script, service: ScriptedService
) -> None:
    told = published.run("deploy", "--dry-run").out
    assert told == "release it\nmemory: it fits\ncost: $1 a month\nkind: X\n"
    document = published.json("deploy", "--dry-run")
    assert document == {
        "dry_run": True, "plan": ["release it"], "memory": "it fits", "cost": "$1 a month",
    }  # fmt: skip
    assert "deploy" not in script.asked


def test_a_release_that_answers_wrongly_has_failed(
    published: Workspace, script: Script, service: ScriptedService
) -> None:
    service.factor = 2.5
    document = published.json("deploy", code=10)
    assert document["verdict"] == "failed"
    assert "does not reproduce the golden set" in document["error"]
    assert "roll back" not in script.asked


def test_a_release_that_answers_wrongly_is_taken_back_if_asked_to(
    published: Workspace, script: Script, service: ScriptedService
) -> None:
    service.factor = 2.5
    result = published.run("deploy", "--auto-rollback", code=10)
    assert script.asked == ["check", "deploy", "roll back"]
    assert "going back to the previous image" in result.err
    assert "before:1 serves again." in result.err


def test_a_release_that_cannot_be_taken_back_has_still_failed_for_its_own_reason(
    published: Workspace, script: Script, service: ScriptedService
) -> None:
    service.factor = 2.5
    script.no_way_back = True
    document = published.json("deploy", "--auto-rollback", code=10)
    assert "does not reproduce the golden set" in document["error"]
    assert document["hint"].startswith("It was not taken back: no image ran before.")


@pytest.mark.parametrize("option", [("--docker",), ("--port", "0"), ("--host", "127.0.0.1")])
def test_an_option_of_the_local_platform_means_nothing_elsewhere(
    published: Workspace, script: Script, service: ScriptedService, option: tuple[str, ...]
) -> None:
    result = published.run("deploy", *option, code=2)
    assert f"{option[0]} is for the local platform, and this is scripted" in result.err


def test_a_release_that_does_not_serve_in_time_is_there_and_unverified(
    published: Workspace, script: Script, service: ScriptedService
) -> None:
    service.health = [{"status": "loading", "loading": {"step": "fetching"}}]
    document = published.json("deploy", "--timeout", "0.2", code=9)
    assert document["verdict"] == "deployed but unverified"
    assert "does not serve v1 yet" in document["error"]


@pytest.mark.parametrize(
    ("failure", "code", "verdict"),
    [
        (DeploymentFailed("it crashed", "v1 serves on."), 10, "failed"),
        (Unverified("nobody confirms it", "Look again."), 9, "deployed but unverified"),
    ],
)
def test_what_a_platform_says_of_its_release_is_the_verdict(
    published: Workspace,
    script: Script,
    service: ScriptedService,
    failure: DeploymentFailed | Unverified,
    code: int,
    verdict: str,
) -> None:
    script.failure = failure
    document = published.json("deploy", code=code)
    assert (document["verdict"], document["error"]) == (verdict, failure.message)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> container_engine.ContainerEngine:
    """A container engine on PATH."""
    made = container_engine.install(tmp_path / "engine")
    monkeypatch.setenv("PATH", f"{made.programs}{os.pathsep}{os.environ['PATH']}")
    return made


def test_the_image_is_built_before_the_platform_takes_it_from_the_engine(
    published: Workspace,
    script: Script,
    service: ScriptedService,
    engine: container_engine.ContainerEngine,
) -> None:
    script.image_from = ImageFrom.ENGINE
    plan = published.run("deploy", "--dry-run").out
    assert "not on this machine yet" in plan
    document = published.json("deploy")
    assert document["image"].startswith("pointsman-service:")
    # What was checked and planned is what was deployed.
    assert len(set(script.images)) == 1
    assert "421.0 MB" in published.run("deploy", "--dry-run").out


def test_the_image_is_pushed_before_the_platform_takes_it_from_a_registry(
    published: Workspace,
    script: Script,
    service: ScriptedService,
    engine: container_engine.ContainerEngine,
) -> None:
    script.image_from = ImageFrom.REGISTRY
    with published.file.open("a") as file:
        file.write('[image]\nrepository = "ghcr.io/me/digits"\n')
    document = published.json("deploy")
    assert document["image"].startswith("ghcr.io/me/digits@sha256:")
    assert script.images[0].startswith("ghcr.io/me/digits:")


def test_an_image_that_is_named_is_taken_as_it_is(
    published: Workspace, script: Script, service: ScriptedService
) -> None:
    script.image_from = ImageFrom.REGISTRY
    assert published.json("deploy", "--image", "ghcr.io/me/digits:7")["image"] == (
        "ghcr.io/me/digits:7"
    )


def test_an_image_without_a_name_is_a_mistake_and_no_wish_to_build_one(
    published: Workspace, script: Script, active: Pointer
) -> None:
    assert "--image is empty" in published.run("deploy", "--image", "", code=2).err
    assert script.asked == []


def test_what_is_to_be_activated_first_is_so_in_the_channel_that_is_meant(
    published: Workspace, script: Script, active: Pointer
) -> None:
    told = published.json("deploy", "--channel", "trial", code=1)
    assert told["hint"] == "`pointsman activate VERSION --channel trial` with one of: v1, v2."


def test_an_image_that_cannot_be_built_leaves_everything_as_it_was(
    published: Workspace,
    script: Script,
    service: ScriptedService,
    engine: container_engine.ContainerEngine,
) -> None:
    script.image_from = ImageFrom.ENGINE
    engine.knobs(refuse={"build": "no space left on device"})
    assert "the disk is full" in published.run("deploy", code=1).err
    assert "deploy" not in script.asked


def test_going_back_to_an_image_is_proven_like_a_deployment(
    published: Workspace, script: Script, service: ScriptedService
) -> None:
    document = published.json("rollback", "--image", "--to", "older:3")
    assert (document["image"], document["verdict"]) == ("older:3", "verified")
    plan = published.run("rollback", "--image", "--dry-run").out
    assert plan == f"let {MODEL}/production on scripted run before:1\n"


def test_a_plan_to_go_back_promises_nothing_that_cannot_be(
    published: Workspace, script: Script, active: Pointer
) -> None:
    script.no_way_back = True
    assert "no image ran before" in published.run("rollback", "--image", "--dry-run", code=1).err
    assert script.asked == []


def test_doctor_shows_what_deploy_would_check(
    published: Workspace, script: Script, service: ScriptedService
) -> None:
    script.findings = [findings.error("token", "there is no token", "Log in.")]
    assert published.run("doctor").code == 0
    document = published.json("doctor", "--platform", "scripted", code=1)
    assert document["findings"][-1]["message"] == "there is no token"
    assert "Log in." in published.run("doctor", "--platform", "scripted", code=1).err


def test_nothing_is_lost_for_good_without_a_yes(
    published: Workspace, script: Script, active: Pointer
) -> None:
    script.lost = ["its address"]
    result = published.run("destroy", code=2)
    assert "destroying my-app loses for good: its address" in result.err
    assert "--yes" in result.err
    assert script.asked == []
    assert published.json("destroy", "--dry-run")["lost"] == ["its address"]
    plan = published.run("destroy", "--dry-run").out
    assert plan == "delete my-app\nwhich loses for good: its address\n"
    assert published.json("destroy", "--yes")["destroyed"] is True


@pytest.mark.parametrize(("typed", "code"), [("my-app", 0), ("my-ap", 2), ("", 2)])
def test_its_name_has_to_be_typed(
    published: Workspace,
    script: Script,
    active: Pointer,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    code: int,
) -> None:
    script.lost = ["its address"]
    monkeypatch.setattr(removing, "somebody_types", lambda: True)
    result = published.run("destroy", stdin=f"{typed}\n".encode(), code=code)
    assert "Type my-app to destroy it:" in result.err
    assert script.asked == (["destroy"] if code == 0 else [])
