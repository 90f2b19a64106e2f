"""What operators get wrong: each is named, with what to type, before anything is changed."""

from collections.abc import Callable, Iterator

import pytest

from tests.cli.railway.conftest import IMAGE
from tests.cli.workspace import MODEL, Workspace
from tests.fakes.railway.server import Railway
from tests.fakes.railway.world import Thing

CHANGES = {"ProjectCreate", "ServiceCreate", "VariablesSet", "ServiceUpdate", "Deploy", "Upload"}


@pytest.fixture(autouse=True)
def _unchanged(railway: Railway) -> Iterator[None]:
    yield
    assert CHANGES.isdisjoint(railway.operations)


def write(name: str, text: str) -> Callable[[Workspace], None]:
    def prepare(workspace: Workspace) -> None:
        (workspace.folder / name).write_text(text)

    return prepare


def told(text: str) -> Callable[[Workspace], None]:
    def prepare(workspace: Workspace) -> None:
        workspace.file.write_text(workspace.file.read_text() + text)

    return prepare


@pytest.mark.parametrize(
    ("prepare", "arguments", "message", "fix"),
    [
        (
            write("railway.json", '{"deploy": {"healthcheckpath": "/health"}}'),
            ["--image", IMAGE],
            "there is no key deploy.healthcheckpath",
            "Is it deploy.healthcheckPath?",
        ),
        (
            write(".env", "SECRET=x"),
            [],
            ".env would be uploaded, and such files hold secrets",
            "Add the line `.env` to .dockerignore",
        ),
        (
            told('signing_key = "service/app.py"\n'),
            [],
            "service/app.py would be uploaded, and such files hold secrets",
            ".dockerignore",
        ),
        (
            lambda workspace: (workspace.folder / "Dockerfile").unlink(),
            [],
            "Dockerfile to build",
            "--image",
        ),
        (
            lambda _: None,
            ["--image", "Digits:v1"],
            "'Digits:v1' is no image's name",
            "ghcr.io/me/digits:v1",
        ),
        (
            lambda _: None,
            ["--image", "localhost:5000/digits"],
            "is in a registry of this machine",
            "leave out --image",
        ),
        (
            told('[railway]\nservice = "a-name-that-is-longer-than-railway-likes"\n'),
            ["--image", IMAGE],
            "has 40 letters, and a service at Railway 32 at most",
            "[railway]",
        ),
        (
            told('[railway.variables]\nPORT = "1"\n'),
            ["--image", IMAGE],
            "[railway.variables] cannot set 'PORT'",
            "PORT is set by pointsman",
        ),
        (
            told('[railway]\nprojekt = "x"\n'),
            ["--image", IMAGE],
            "there is no key railway.projekt",
            "Is it railway.project?",
        ),
        (
            write("railway.json", '{"deploy": {"healthcheckPath": "/health", "region": "mars"}}'),
            ["--image", IMAGE],
            "Railway has no region mars",
            "us-west2",
        ),
    ],
)
def test_a_mistake_is_named_with_its_fix(
    shipping: Workspace,
    prepare: Callable[[Workspace], None],
    arguments: list[str],
    message: str,
    fix: str,
) -> None:
    prepare(shipping)
    ended = shipping.run("deploy", *arguments, code=shipping_code(message))
    assert message in ended.err
    assert fix in ended.err
    assert "Traceback" not in ended.err


def shipping_code(message: str) -> int:
    """A wrong pointsman.toml is wrong for every command; the rest is found by checking."""
    return 2 if "railway.projekt" in message else 1


def test_a_secret_that_railway_would_read_as_a_reference_is_refused(
    shipping: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_RUNTIME_SECRET_ACCESS_KEY", "abc${{def")
    said = shipping.run("deploy", "--image", IMAGE, code=1).err
    assert "error: the value of AWS_SECRET_ACCESS_KEY contains ${{" in said
    assert "abc" not in said


def test_half_of_the_registrys_credentials_are_none(
    shipping: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAILWAY_REGISTRY_USERNAME", "octocat")
    said = shipping.run("deploy", "--image", IMAGE, code=1).err
    assert "error: RAILWAY_REGISTRY_PASSWORD is not set, but its companion is" in said


def test_private_images_on_a_plan_without_them_are_refused(
    shipping: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    railway.world.add_project("digits", plan="hobby")
    monkeypatch.setenv("RAILWAY_REGISTRY_USERNAME", "octocat")
    monkeypatch.setenv("RAILWAY_REGISTRY_PASSWORD", "ghp_verysecret")
    said = shipping.run("deploy", "--image", IMAGE, code=1).err
    assert "registry credentials need Railway's Pro plan, and this is hobby" in said


@pytest.mark.parametrize(
    ("variables", "whose"),
    [
        ({"POINTSMAN_MODEL": "letters"}, "serves model letters"),
        ({"DATABASE_URL": "postgres://…"}, "was not made by pointsman"),
    ],
)
def test_a_service_of_somebody_else_is_not_taken_over(
    shipping: Workspace, railway: Railway, variables: dict[str, str], whose: str
) -> None:
    project = railway.world.add_project("digits")
    railway.world.add_service(project, "digits")
    railway.world.instance("digits", "production", "digits").variables = variables
    said = shipping.run("deploy", "--image", IMAGE, code=1).err
    assert f"error: the name is taken: digits/production/digits {whose}" in said
    assert 'service = "…" in [railway]' in said


def test_a_service_that_only_other_environments_have_is_named(
    shipping: Workspace, railway: Railway
) -> None:
    project = railway.world.add_project("digits")
    railway.world.add_service(project, "digits")
    project.environments.append(Thing("staging"))
    told('[railway]\nenvironment = "staging"\nservice = "digits"\n')(shipping)
    said = shipping.run("deploy", "--image", IMAGE, code=1).err
    assert "the service of digits/staging/digits is in other environments of the project" in said
    assert "Give it a name of its own" in said


def test_without_an_active_model_there_is_nothing_to_deploy(shipping: Workspace) -> None:
    said = shipping.run("deploy", "--image", IMAGE, "--channel", "empty", code=1).err
    assert "error: nothing is active in digits/empty, and there are 2 versions" in said
    assert "pointsman activate VERSION" in said


def test_a_store_on_this_machine_is_not_seen_from_there(
    folder: Workspace, railway: Railway
) -> None:
    said = folder.run("deploy", "--platform", "railway", "--image", IMAGE, code=1).err
    assert "is a folder of this machine: no service elsewhere sees it" in said


def test_without_credentials_for_the_service_none_are_taken_from_the_operator(
    shipping: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POINTSMAN_RUNTIME_ACCESS_KEY_ID")
    monkeypatch.delenv("POINTSMAN_RUNTIME_SECRET_ACCESS_KEY")
    said = shipping.run("deploy", "--image", IMAGE, code=1).err
    assert "the service would have no credentials for" in said


def test_a_server_that_is_no_railway_is_said_to_be_none(
    shipping: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_RAILWAY_URL", f"{railway.url}/elsewhere")
    said = shipping.run("deploy", "--image", IMAGE, code=1).err
    assert "without data when asked to find out whose token this is" in said
    monkeypatch.setenv("POINTSMAN_RAILWAY_URL", "railway.com")
    assert "is no URL" in shipping.run("deploy", "--image", IMAGE, code=1).err
    monkeypatch.setenv("POINTSMAN_RAILWAY_URL", "http://127.0.0.1:1")
    assert "cannot be reached" in shipping.run("deploy", "--image", IMAGE, code=1).err


def test_no_token_is_said_before_anything_else(
    shipping: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAILWAY_API_TOKEN")
    said = shipping.run("deploy", "--image", IMAGE, code=1).err
    assert said.startswith("error: there is no Railway token")
    assert MODEL not in said.splitlines()[0]
