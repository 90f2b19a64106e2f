"""Deploying to Railway: made, told, released, watched and proven; a real service answers."""

from pathlib import Path

import pytest

from tests.cli.railway.conftest import IMAGE, NEXT_IMAGE
from tests.cli.workspace import MODEL, Workspace
from tests.fakes.railway.server import Railway
from tests.fakes.railway.world import Deployment, Image
from tests.servers.seaweedfs import SECRET_KEY

ONE_TIME = ("ProjectCreate", "ServiceCreate", "DomainCreate", "VariablesSet", "ServiceUpdate")


def statuses(railway: Railway) -> list[str]:
    return [each.status for each in railway.world.deployments]


def release(railway: Railway, id: str) -> Deployment:  # noqa: A002 — as Railway calls it
    return next(each for each in railway.world.deployments if each.id == id)


def test_the_first_deployment_makes_everything_once_and_is_proven(
    shipping: Workspace, railway: Railway
) -> None:
    first = shipping.json("deploy", "--image", IMAGE)
    assert (first["verdict"], first["version"], first["golden_rows"]) == ("verified", "v1", 3)
    assert (first["platform"], first["name"]) == ("railway", "digits/production/digits")
    assert first["image"] == railway.world.images[IMAGE].digest
    assert [railway.operations.count(each) for each in ONE_TIME] == [1] * len(ONE_TIME)

    second = shipping.run("deploy", "--image", NEXT_IMAGE)
    assert second.out == f"{first['url']}\n"
    assert "settings applied and read back" in second.err
    assert statuses(railway) == ["REMOVED", "SUCCESS"]
    # Everything but the image was there already, and no variable had to be set again.
    assert [railway.operations.count(each) for each in ONE_TIME] == [1, 1, 1, 1, 2]


def test_variables_are_set_before_the_first_deployment_and_without_one_of_their_own(
    shipping: Workspace, railway: Railway
) -> None:
    shipping.run("deploy", "--image", IMAGE)
    [told] = railway.variables_of("VariablesSet")
    assert told["input"]["skipDeploys"] is True
    assert told["input"]["replace"] is False
    assert railway.operations.index("VariablesSet") < railway.operations.index("Deploy")
    assert len(railway.world.deployments) == 1
    variables = railway.world.instance("digits", "production", "digits").variables
    assert variables["AWS_SECRET_ACCESS_KEY"] == SECRET_KEY
    assert (variables["POINTSMAN_MODEL"], variables["PORT"]) == (MODEL, "8000")


def test_settings_of_railway_json_reach_the_service_as_numbers(
    shipping: Workspace, railway: Railway
) -> None:
    file = shipping.folder / "railway.json"
    file.write_text(file.read_text().replace('"drainingSeconds": 30', '"drainingSeconds": "40"'))
    shipping.run("deploy", "--image", IMAGE)
    settings = railway.world.instance("digits", "production", "digits").settings
    assert settings == {
        "healthcheckPath": "/health",
        "healthcheckTimeout": 300,
        "restartPolicyType": "ON_FAILURE",
        "restartPolicyMaxRetries": 10,
        "overlapSeconds": 5,
        "drainingSeconds": 40,
    }


def test_without_an_image_the_source_is_uploaded_and_built(
    shipping: Workspace, railway: Railway
) -> None:
    (shipping.folder / "pointsman.toml.bak").write_text("")
    (shipping.folder / ".dockerignore").write_text("*\n!service\n")
    (shipping.folder / ".env").write_text("SECRET=x")
    document = shipping.json("deploy")
    assert document["verdict"] == "verified"
    [files] = railway.uploads
    assert {"./.dockerignore", "./Dockerfile", "./service/app.py"} <= set(files)
    assert {"./.env", "./pointsman.toml", "./pointsman.toml.bak"}.isdisjoint(files)
    [asked] = [each for each in railway.asked if each.operation == "Upload"]
    assert asked.headers["Content-Type"] == "application/gzip"
    instance = railway.world.instance("digits", "production", "digits")
    assert instance.settings["dockerfilePath"] == "Dockerfile"
    assert instance.source is None


def test_an_image_that_runs_already_is_left_alone_and_proven_again(
    shipping: Workspace, railway: Railway
) -> None:
    pinned = f"ghcr.io/acme/digits@{railway.world.images[IMAGE].digest}"
    railway.world.images[pinned] = railway.world.images[IMAGE]
    first = shipping.json("deploy", "--image", pinned)
    again = shipping.run("deploy", "--image", pinned)
    assert "this image runs already, with these settings: it is left alone" in again.err
    assert "golden set reproduced" in again.err
    assert [each.id for each in railway.world.deployments] == [first["release"]]
    shipping.run("deploy", "--image", pinned, "--restart")
    assert len(railway.world.deployments) == 2


def test_progress_is_told_step_by_step(shipping: Workspace) -> None:
    err = shipping.run("deploy", "--image", IMAGE).err
    told = [
        "creating project digits",
        "creating service digits",
        "making a public address",
        "settings applied and read back",
        "building the image",
        "starting the container",
        "health check, attempt",
    ]
    places = [err.index(each) for each in told]
    assert places == sorted(places)


def test_another_environment_has_a_service_of_its_own(
    shipping: Workspace, railway: Railway
) -> None:
    shipping.run("deploy", "--image", IMAGE)
    with shipping.file.open("a") as file:
        file.write("[env.staging.railway.variables]\nPOINTSMAN_THREADS = '1'\n")
    staging = shipping.json("deploy", "--image", NEXT_IMAGE, "--env", "staging")
    assert staging["name"] == "digits/staging/digits-staging"
    created = railway.world.instance("digits", "staging", "digits-staging")
    assert created.variables["POINTSMAN_THREADS"] == "1"
    assert (created.source or {})["image"] == NEXT_IMAGE
    before = railway.world.instance("digits", "production", "digits")
    assert (before.source or {})["image"] == IMAGE


BROKEN = "ghcr.io/acme/digits:broken"


@pytest.mark.parametrize(
    ("image", "sentence", "fix"),
    [
        (
            Image(variables={"POINTSMAN_POLL_SECONDS": "often"}),
            "the service said: POINTSMAN_POLL_SECONDS cannot be 'often'",
            "healthcheckTimeout",
        ),
        (None, f"the registry has no image {BROKEN}", "pointsman push"),
    ],
    ids=["variable", "missing"],
)
def test_a_broken_release_leaves_the_old_one_serving_and_says_why(
    shipping: Workspace, railway: Railway, image: Image | None, sentence: str, fix: str
) -> None:
    good = shipping.json("deploy", "--image", IMAGE)
    if image:
        railway.world.images[BROKEN] = image
    failed = shipping.run("deploy", "--image", BROKEN, "--json", code=10)
    document = failed.document
    assert document["verdict"] == "failed"
    assert sentence in document["error"]
    assert "\n" not in document["error"]
    assert fix in document["hint"]
    assert f"goes on serving: {IMAGE}, deployment {good['release']}" in document["hint"]
    assert document["log"] == release(railway, document["release"]).log[-10:]
    assert statuses(railway) == ["SUCCESS", "FAILED"]
    (shipping.folder / "request.json").write_text('{"inputs": [[1, 2, 3, 4]]}')
    answer = shipping.json("predict", "request.json", "--url", good["url"])
    assert answer["outputs"] == {"y": [[2.0, 4.0, 6.0, 8.0]]}


def test_a_source_that_does_not_build_says_so(shipping: Workspace) -> None:
    (shipping.folder / "Dockerfile").write_text("FROM scratch\nRUN false\n")
    failed = shipping.run("deploy", code=10)
    assert 'error: the release failed: process "/bin/sh -c false" exit code: 1' in failed.err
    assert "Nothing serves now" in failed.err
    assert "  | RUN false" in failed.err


def test_with_auto_rollback_what_serves_is_said_once_where_nothing_took_over(
    shipping: Workspace, railway: Railway
) -> None:
    good = shipping.json("deploy", "--image", IMAGE)
    railway.world.images[BROKEN] = Image(refusal="denied: unauthorized")
    failed = shipping.json("deploy", "--image", BROKEN, "--auto-rollback", code=10)
    serves = f"What ran before goes on serving: {IMAGE}, deployment {good['release']}."
    assert failed["hint"].startswith(f"{serves} Make the image public")
    assert railway.variables_of("Rollback") == []


def test_with_auto_rollback_a_release_that_took_over_is_taken_back(
    shipping: Workspace, railway: Railway
) -> None:
    good = shipping.json("deploy", "--image", IMAGE)
    railway.faults.released_image = "ghcr.io/acme/digits:stale"
    failed = shipping.run("deploy", "--image", NEXT_IMAGE, "--auto-rollback", "--json", code=10)
    assert "instead of ghcr.io/acme/digits:v2" in failed.document["error"]
    assert f"{IMAGE} serves, by deployment" in failed.document["hint"]
    assert "It serves now" not in failed.document["hint"]
    assert statuses(railway) == ["REMOVED", "REMOVED", "SUCCESS"]
    assert railway.variables_of("Rollback") == [{"id": good["release"]}]


def test_nothing_that_is_said_shows_a_secret(
    shipping: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAILWAY_REGISTRY_USERNAME", "octocat-of-acme")
    monkeypatch.setenv("RAILWAY_REGISTRY_PASSWORD", "ghp_verysecret")
    railway.world.add_project("digits", plan="pro")
    secrets = [SECRET_KEY, "ghp_verysecret", "account-1f2e3d4c5b6a"]
    railway.world.images[BROKEN] = Image(last_words=(f"error: bad key {SECRET_KEY}",))
    said = [
        shipping.run("deploy", "--image", IMAGE, "--dry-run"),
        shipping.run("deploy", "--image", IMAGE, "--json"),
        shipping.run("deploy", "--image", BROKEN, "--debug", code=10),
    ]
    assert "bad key •••" in said[-1].err
    text = "".join(each.out + each.err for each in said)
    assert [secret for secret in secrets if secret in text] == []
    instance = railway.world.instance("digits", "production", "digits")
    assert instance.credentials == {"username": "octocat-of-acme", "password": "ghp_verysecret"}
    # Nor does a file that was written on the way.
    written = [path for path in shipping.folder.rglob("*") if path.is_file()]
    assert all(not _holds(path, secrets) for path in written)


def _holds(path: Path, secrets: list[str]) -> bool:
    return any(secret.encode() in path.read_bytes() for secret in secrets)
