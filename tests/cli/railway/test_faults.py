"""What goes wrong at Railway, one misfortune at a time, and what the command makes of it."""

import signal
from pathlib import Path

import pytest

from pointsman_cli.platforms.railway import releasing, watching
from pointsman_cli.platforms.railway.api import budget
from tests.cli.railway.conftest import IMAGE, NEXT_IMAGE
from tests.cli.workspace import Workspace, until
from tests.fakes.railway.faults import Fault
from tests.fakes.railway.server import Railway


def deploy(shipping: Workspace, code: int = 0, image: str = IMAGE) -> str:
    return shipping.run("deploy", "--image", image, code=code).err


def test_a_used_up_rate_limit_is_waited_out_and_told(shipping: Workspace, railway: Railway) -> None:
    railway.limits = {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "900"}
    railway.faults.ahead = {"DeploymentStatus": [Fault.LIMITED], "ServiceCreate": [Fault.LIMITED]}
    said = deploy(shipping)
    assert "Railway's rate limit of 1000 requests an hour is used up: waiting 0 s" in said
    assert railway.operations.count("ServiceCreate") == 2


def test_a_rate_limit_that_never_ends_ends_the_command(
    shipping: Workspace, railway: Railway
) -> None:
    railway.faults.ahead = {"Viewer": [Fault.LIMITED] * 100}
    said = deploy(shipping, code=1)
    assert "error: Railway goes on refusing to find out whose token this is" in said


def test_a_rate_limit_that_lasts_is_not_waited_for(shipping: Workspace, railway: Railway) -> None:
    railway.faults.ahead = {"ServiceCreate": [Fault.LIMITED]}
    railway.faults.retry_after = "1800"
    said = deploy(shipping, code=1)
    assert "error: Railway's rate limit is used up for another 30 min" in said


@pytest.mark.parametrize("operation", ["ProjectCreate", "ServiceCreate", "Deploy"])
def test_what_was_done_without_an_answer_is_found_and_not_done_twice(
    shipping: Workspace, railway: Railway, operation: str
) -> None:
    railway.faults.ahead = {operation: [Fault.LOST]}
    deploy(shipping)
    assert railway.operations.count(operation) == 1
    world = railway.world
    assert [len(world.projects), len(world.project("digits").services)] == [1, 1]
    assert len(world.deployments) == 1


def test_what_may_be_done_twice_is_sent_again(shipping: Workspace, railway: Railway) -> None:
    railway.faults.ahead = {
        "VariablesSet": [Fault.LOST],
        "ServiceUpdate": [Fault.UNANSWERED],
    }
    deploy(shipping)
    told = railway.operations
    assert [told.count(each) for each in ("VariablesSet", "ServiceUpdate", "Deploy")] == [2, 2, 1]


@pytest.mark.parametrize("operation", ["ProjectCreate", "ServiceCreate", "Deploy"])
def test_what_was_not_done_is_said_and_done_at_the_next_try(
    shipping: Workspace, railway: Railway, operation: str
) -> None:
    railway.faults.ahead = {operation: [Fault.UNANSWERED]}
    said = deploy(shipping, code=1)
    assert "error: Railway did not say whether it could" in said
    assert "Type the same again" in said
    deploy(shipping)
    assert len(railway.world.deployments) == 1


def test_what_was_just_made_is_asked_for_again(shipping: Workspace, railway: Railway) -> None:
    railway.faults.ahead = {"ServiceUpdate": [Fault.NOT_YET], "Variables": [Fault.NOT_YET] * 2}
    deploy(shipping)
    assert railway.operations.count("ServiceUpdate") == 2


def test_questions_survive_an_outage_and_trouble_is_told_with_its_trace(
    shipping: Workspace, railway: Railway
) -> None:
    railway.faults.ahead = {"DeploymentStatus": [Fault.UNANSWERED] * 4}
    deploy(shipping)
    railway.faults.ahead = {"ServiceUpdate": [Fault.TROUBLE]}
    said = deploy(shipping, code=1, image=NEXT_IMAGE)
    assert "Problem processing request (trace id 7177)" in said


def test_losing_sight_of_a_deployment_is_no_failure_of_it(
    shipping: Workspace, railway: Railway
) -> None:
    railway.faults.ahead = {"DeploymentStatus": [Fault.UNANSWERED] * 5}
    said = deploy(shipping, code=9)
    assert "goes on cannot be seen" in said
    assert "`pointsman status --platform railway` shows how it ends" in said


def test_a_deployment_that_takes_too_long_is_left_alone_and_not_called_failed(
    shipping: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the time for building and the health check had gone by.
    monkeypatch.setattr(releasing, "BUILD_SECONDS", -360.0)
    railway.faults.coming = ["BUILDING"] * 1000
    said = deploy(shipping, code=9)
    assert "is BUILDING after" in said
    assert "It goes on at Railway" in said


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (
            "REMOVED",
            "the release was removed: it was cancelled, or another deployment took its place",
        ),
        ("SKIPPED", "the release was skipped: Railway found nothing"),
        ("NEEDS_APPROVAL", "the release waits: somebody has to approve it"),
        ("CRASHED", "the release crashed: "),
    ],
)
def test_every_way_a_deployment_can_end_is_explained(
    shipping: Workspace, railway: Railway, status: str, sentence: str
) -> None:
    railway.faults.coming = ["BUILDING", status]
    said = deploy(shipping, code=10)
    assert f"error: {sentence}" in said
    assert "Nothing serves now" in said


def test_a_queue_is_waited_out_and_told(shipping: Workspace, railway: Railway) -> None:
    railway.faults.coming = ["QUEUED", "WAITING", "INITIALIZING", "DEPLOYING", "?"]
    assert "on the Free and Hobby plans that may take a while" in deploy(shipping)


def test_another_image_than_was_asked_for_is_a_failure(
    shipping: Workspace, railway: Railway
) -> None:
    railway.faults.released_image = "ghcr.io/acme/digits:stale"
    said = deploy(shipping, code=10)
    assert f"error: Railway released ghcr.io/acme/digits:stale instead of {IMAGE}" in said


def test_a_release_without_its_health_check_is_not_called_verified(
    shipping: Workspace, railway: Railway
) -> None:
    railway.faults.manifest = {"healthcheckPath": None}
    said = deploy(shipping, code=9)
    assert "released it with other settings: healthcheckPath is not set instead of /health" in said


def test_a_setting_that_does_not_stick_stops_before_anything_is_deployed(
    shipping: Workspace, railway: Railway
) -> None:
    railway.faults.forgotten = {"healthcheckPath"}
    said = deploy(shipping, code=10)
    assert "did not take over the service's settings: healthcheckPath is not set" in said
    assert railway.world.deployments == []


def test_a_change_that_reaches_another_environment_stops_before_anything_is_deployed(
    shipping: Workspace, railway: Railway
) -> None:
    project = railway.world.add_project("digits", "production", "staging")
    railway.world.add_service(project, "digits")
    railway.faults.spreads = True
    said = deploy(shipping, code=10)
    assert "error: Railway changed the service in staging too; nothing was deployed" in said
    assert railway.world.deployments == []


def test_a_deleted_service_of_the_same_name_is_not_the_one(
    shipping: Workspace, railway: Railway
) -> None:
    project = railway.world.add_project("digits")
    railway.world.add_service(project, "digits", deleted=True)
    deploy(shipping)
    assert len(project.services) == 2


def test_an_address_that_is_not_known_yet_is_asked_again(
    shipping: Workspace, railway: Railway
) -> None:
    deploy(shipping)
    edge = railway.world.instance("digits", "production", "digits").edge
    assert edge is not None
    edge.missing = 3
    assert shipping.json("deploy", "--image", NEXT_IMAGE)["verdict"] == "verified"


def test_an_upload_that_is_too_large_says_what_to_leave_out(
    shipping: Workspace, railway: Railway
) -> None:
    railway.faults.upload_status = 413
    said = shipping.run("deploy", code=1).err
    assert "error: Railway refused the source: it is too large" in said
    assert ".dockerignore" in said


def test_the_small_budget_of_a_free_account_is_spread(
    shipping: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(budget, "_SPARING_PAUSE", 0.02)
    monkeypatch.setattr(watching, "sleep", slept.append)
    railway.limits = {
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Remaining": "30",
        "X-RateLimit-Reset": "3600",
    }
    assert "looking less often" in deploy(shipping)
    assert 0.02 in slept


def test_ctrl_c_while_railway_works_says_that_it_goes_on(
    shipping: Workspace, railway: Railway, tmp_path: Path
) -> None:
    railway.faults.coming = ["QUEUED"] * 10_000
    with shipping.start("deploy", "--image", IMAGE) as command:
        until(lambda: "DeploymentStatus" in railway.operations, "it is watched")
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=240)
    assert command.returncode == 130
    assert f"Deployment {railway.world.deployments[0].id} goes on at Railway" in err
    assert "Traceback" not in err
