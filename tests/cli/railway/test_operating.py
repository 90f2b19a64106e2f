"""Looking at a deployment, its log, going back, and removing it."""

import json
import signal
from typing import Any

import pytest

from pointsman_cli.context import Context
from pointsman_cli.output import Output
from pointsman_cli.platforms.base import Wanted
from pointsman_cli.platforms.railway.platform import RailwayPlatform
from tests.cli.railway.conftest import IMAGE, NEXT_IMAGE
from tests.cli.workspace import Workspace, until
from tests.fakes.railway.server import ACCOUNT_TOKEN, Railway
from tests.fakes.railway.world import Image


@pytest.fixture
def shipped(shipping: Workspace) -> Workspace:
    """The folder after its first deployment."""
    shipping.run("deploy", "--image", IMAGE)
    return shipping


def test_status_shows_what_serves_and_what_became_of_the_last_attempt(
    shipped: Workspace, railway: Railway
) -> None:
    status = shipped.run("status", "--platform", "railway")
    assert "digits/production/digits on railway" in status.err
    assert "running" in status.out
    railway.faults.coming = ["SKIPPED"]
    shipped.run("deploy", "--image", NEXT_IMAGE, code=10)
    assert "ended as SKIPPED" in shipped.run("status", "--platform", "railway").err


def test_the_log_is_told_by_its_last_lines(shipped: Workspace) -> None:
    document = shipped.json("logs", "--lines", "2")
    # Railway sends one line more than it is asked for.
    assert len(document["lines"]) == 2
    assert "serving v1" in shipped.run("logs").out
    assert shipped.run("logs", "--lines", "0").out == ""


def test_the_log_is_followed_across_deployments_without_telling_a_line_twice(
    shipped: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shipped.folder)
    first = railway.world.deployments[0]
    before = list(first.log)
    lines = RailwayPlatform(Context(Output(), {})).logs(follow=True, lines=50)
    assert [next(lines) for _ in before] == before
    first.later.append("something new")
    assert next(lines) == "something new"
    shipped.run("deploy", "--image", NEXT_IMAGE)
    second = railway.world.deployments[1].log
    # What the old release says in going comes first; nothing that was told comes again.
    farewell = list(iter(lambda: next(lines), second[0]))
    assert set(farewell).isdisjoint(before)
    assert next(lines) == second[1]


def test_ctrl_c_ends_the_following_and_not_the_service(shipped: Workspace) -> None:
    followed = shipped.folder / "followed"
    with shipped.start("logs", "--follow", out=followed) as command:
        until(lambda: followed.exists() and "serving v1" in followed.read_text(), "it is told")
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=240)
    assert command.returncode == 130
    assert "The service goes on, and so does its log." in err


def test_without_a_deployment_there_is_no_log(shipping: Workspace) -> None:
    said = shipping.run("logs", code=1).err
    assert "digits/production/digits is not deployed at Railway" in said
    assert shipping.run("destroy", "--yes").err == "digits/production was not deployed on railway\n"


def test_destroying_asks_for_the_name_and_leaves_the_project(
    shipped: Workspace, railway: Railway
) -> None:
    plan = shipped.json("destroy", "--dry-run")
    assert plan["plan"][0] == "delete service digits/production/digits"
    assert any("the address 127.0.0.1" in each for each in plan["lost"])
    shipped.run("destroy", code=2)
    assert "ServiceDelete" not in railway.operations
    assert shipped.json("destroy", "--yes") == {"platform": "railway", "destroyed": True}
    project = railway.world.project("digits")
    assert railway.variables_of("ServiceDelete") == [
        {"id": project.services[0].id, "environmentId": project.environments[0].id}
    ]


@pytest.mark.parametrize("to", ["", IMAGE, "id"])
def test_going_back_runs_what_ran_before_as_a_new_deployment(
    shipped: Workspace, railway: Railway, to: str
) -> None:
    first = railway.world.deployments[0]
    shipped.run("deploy", "--image", NEXT_IMAGE)
    target = ["--to", first.id if to == "id" else to] if to else []
    back = shipped.json("rollback", "--image", *target)
    assert (back["verdict"], back["version"]) == ("verified", "v1")
    assert back["image"] == railway.world.images[IMAGE].digest
    assert [each.status for each in railway.world.deployments] == ["REMOVED", "REMOVED", "SUCCESS"]
    assert back["release"] == railway.world.deployments[-1].id
    assert railway.variables_of("Rollback") == [{"id": first.id}]


@pytest.mark.parametrize("to", ["", "ghcr.io/acme/digits:v0"])
def test_where_nothing_ran_before_there_is_nothing_to_go_back_to(
    shipped: Workspace, to: str
) -> None:
    target = ["--to", to] if to else []
    said = shipped.run("rollback", "--image", *target, code=1).err
    assert "error: there is no release to go back to" in said
    assert f"There is: {IMAGE}." in said


def test_a_plan_changes_nothing_and_says_what_would_change(
    shipping: Workspace, railway: Railway
) -> None:
    first: dict[str, Any] = shipping.json("deploy", "--image", IMAGE, "--dry-run")
    assert first["plan"][:2] == ["make project digits", "make service digits"]
    assert first["plan"][-1] == f"deploy {IMAGE} to digits/production/digits"
    assert "AWS_SECRET_ACCESS_KEY" in "".join(first["plan"])
    assert "healthcheckPath = /health" in "".join(first["plan"])
    assert "of memory and $20 per vCPU in use a month" in first["cost"]
    assert {each for each in railway.operations if "Create" in each or "Set" in each} == set()

    shipping.run("deploy", "--image", IMAGE)
    again = shipping.json("deploy", "--image", NEXT_IMAGE, "--dry-run")
    assert again["plan"] == [
        f"change settings: source is {IMAGE} instead of {NEXT_IMAGE}",
        f"deploy {NEXT_IMAGE} to digits/production/digits",
    ]
    assert again["memory"].startswith("enough: the model was measured to need")


def test_a_plan_of_an_upload_names_the_largest_files(shipping: Workspace) -> None:
    (shipping.folder / "big.bin").write_bytes(b"x" * 11_000_000)
    plan = shipping.json("deploy", "--dry-run")
    assert "the largest: big.bin 11.0 MB" in plan["plan"][-1]
    assert plan["image"] == "built by Railway from Dockerfile"


def test_checks_find_all_that_is_well(shipped: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shipped.folder)
    found = RailwayPlatform(Context(Output(), {})).check(Wanted(image=IMAGE))
    assert {(each.check, str(each.severity)) for each in found} == {
        ("token", "ok"),
        ("service", "ok"),
        ("railway.json", "ok"),
        ("image", "ok"),
        ("credentials", "ok"),
        ("store", "warning"),  # it is on this machine
    }


def test_doctor_says_what_the_token_reaches_and_what_would_fail(
    shipped: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The key that these tests hand to the service may write models, and the store is on this
    # machine: doctor complains of both.
    found = shipped.json("doctor", "--platform", "railway", code=1)["findings"]
    wrong = [each["check"] for each in found if each["severity"] != "ok"]
    assert wrong == ["runtime cannot write models", "store"]
    token = next(each for each in found if each["check"] == "token")
    assert token["message"] == ("RAILWAY_API_TOKEN holds an account token of Ada: it reaches acme")
    assert any("would be uploaded and built from Dockerfile" in each["message"] for each in found)

    (shipped.folder / "railway.json").write_text('{"deploy": {"drainingSeconds": 30}}')
    ill = shipped.json("doctor", "--platform", "railway", code=1)
    said = [each["message"] for each in ill["findings"] if each["severity"] == "error"]
    assert any("deploy.healthcheckPath is missing" in each for each in said)
    monkeypatch.delenv("RAILWAY_API_TOKEN")
    assert "there is no Railway token" in shipped.run("doctor", "-p", "railway", code=1).out
    assert ACCOUNT_TOKEN not in json.dumps([found, ill])


def test_edits_that_wait_in_the_dashboard_are_warned_of(
    shipped: Workspace, railway: Railway
) -> None:
    railway.world.project("digits").environments[0].unmerged = 2
    said = shipped.run("deploy", "--image", NEXT_IMAGE, "--dry-run").err
    assert "2 edits in the dashboard of production wait to be deployed" in said


def test_a_session_token_left_from_an_earlier_key_is_warned_of(
    shipped: Workspace, railway: Railway
) -> None:
    instance = railway.world.instance("digits", "production", "digits")
    instance.variables["AWS_SESSION_TOKEN"] = "left-from-earlier"  # noqa: S105 — nobody's
    said = shipped.run("deploy", "--image", NEXT_IMAGE, "--dry-run").err
    assert "AWS_SESSION_TOKEN is set at Railway, and would be used with the new key" in said
    assert "left-from-earlier" not in said


def test_a_healthy_release_that_serves_something_else_is_taken_back_if_asked(
    shipped: Workspace, railway: Railway
) -> None:
    stranger = "ghcr.io/acme/digits:stranger"
    railway.world.images[stranger] = Image(variables={"POINTSMAN_CHANNEL": "other"})
    failed = shipped.run("deploy", "--image", stranger, "--auto-rollback", code=10)
    assert "the service refuses v1" in failed.err
    assert f"{railway.world.images[IMAGE].digest} serves again" in failed.err
    assert [each.status for each in railway.world.deployments] == ["REMOVED", "REMOVED", "SUCCESS"]
