"""Railway's tokens: each kind is recognised, used where it may be, and named where it may not."""

import pytest

from pointsman_cli.errors import UsageError
from pointsman_cli.platforms.railway.api import token
from tests.cli.railway.conftest import IMAGE
from tests.cli.workspace import Workspace
from tests.fakes.railway.server import ACCOUNT_TOKEN, PROJECT_TOKEN, WORKSPACE_TOKEN, Railway


def of_project(railway: Railway, *environments: str) -> None:
    """Make a project, and let the project token be one of its first environment."""
    project = railway.world.add_project("digits", *environments)
    railway.world.project_token = (project, project.environments[0])


def test_each_variable_has_its_header_and_the_projects_beats_the_others() -> None:
    both = {"RAILWAY_TOKEN": "p", "RAILWAY_API_TOKEN": "a"}
    assert token.from_environment(both).headers == {"Project-Access-Token": "p"}
    assert token.ambiguous(both)
    only = {"RAILWAY_API_TOKEN": " a\n"}
    assert token.from_environment(only).headers == {"Authorization": "Bearer a"}
    assert not token.ambiguous(only)


@pytest.mark.parametrize("environment", [{}, {"RAILWAY_TOKEN": "", "RAILWAY_API_TOKEN": " "}])
def test_without_a_token_both_variables_and_the_page_are_named(
    environment: dict[str, str],
) -> None:
    with pytest.raises(UsageError) as error:
        token.from_environment(environment)
    assert "neither RAILWAY_API_TOKEN nor RAILWAY_TOKEN is set" in error.value.message
    assert "https://railway.com/account/tokens" in error.value.hint


def test_a_token_is_never_shown_even_of_itself() -> None:
    held = token.from_environment({"RAILWAY_TOKEN": "verysecret"})
    assert "verysecret" not in repr(held)
    with pytest.raises(UsageError) as error:
        token.from_environment({"RAILWAY_TOKEN": "very secret"})
    assert "very" not in error.value.message + error.value.hint


def test_a_workspace_token_deploys(
    shipping: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAILWAY_API_TOKEN", WORKSPACE_TOKEN)
    assert shipping.json("deploy", "--image", IMAGE)["verdict"] == "verified"
    assert railway.operations[:2] == ["Viewer", "TokenWorkspaces"]


def test_a_project_token_deploys_into_its_project_and_environment(
    shipping: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_project(railway, "live")
    monkeypatch.delenv("RAILWAY_API_TOKEN")
    monkeypatch.setenv("RAILWAY_TOKEN", PROJECT_TOKEN)
    deployed = shipping.json("deploy", "--image", IMAGE)
    assert deployed["name"] == "digits/live/digits"
    assert all("Authorization" not in each.headers for each in railway.asked)
    assert {"Projects", "ProjectCreate", "Viewer"}.isdisjoint(railway.operations)


def test_both_tokens_use_the_projects_and_say_so(
    shipping: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_project(railway)
    monkeypatch.setenv("RAILWAY_TOKEN", PROJECT_TOKEN)
    said = shipping.run("deploy", "--image", IMAGE, "--dry-run").err
    assert "are both set: RAILWAY_TOKEN is used" in said


@pytest.mark.parametrize(
    ("held", "kind"),
    [
        (ACCOUNT_TOKEN, "an account token of Ada: it reaches acme"),
        (WORKSPACE_TOKEN, "a workspace token: it reaches acme"),
    ],
)
def test_a_token_in_the_projects_variable_is_sent_to_the_right_one(
    shipping: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch, held: str, kind: str
) -> None:
    monkeypatch.delenv("RAILWAY_API_TOKEN")
    monkeypatch.setenv("RAILWAY_TOKEN", held)
    said = shipping.run("deploy", "--image", IMAGE, code=1).err
    assert f"error: RAILWAY_TOKEN holds {kind}" in said
    assert "export RAILWAY_API_TOKEN=… and unset RAILWAY_TOKEN" in said


def test_a_project_token_in_the_others_variable_is_sent_to_the_right_one(
    shipping: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_project(railway)
    monkeypatch.setenv("RAILWAY_API_TOKEN", PROJECT_TOKEN)
    said = shipping.run("deploy", "--image", IMAGE, code=1).err
    assert "error: RAILWAY_API_TOKEN holds a project token: it reaches environment" in said
    assert "export RAILWAY_TOKEN=…" in said


def test_an_unknown_token_is_one_in_either_place(
    shipping: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAILWAY_API_TOKEN", "revoked-revoked")
    said = shipping.run("deploy", "--image", IMAGE, code=1).err
    assert "error: Railway does not know the token in RAILWAY_API_TOKEN" in said
    assert "revoked-revoked" not in said


def test_a_project_token_of_another_environment_is_not_used(
    shipping: Workspace, railway: Railway, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_project(railway, "production", "staging")
    monkeypatch.setenv("RAILWAY_TOKEN", PROJECT_TOKEN)
    with shipping.file.open("a") as file:
        file.write('[railway]\nenvironment = "staging"\n')
    said = shipping.run("deploy", "--image", IMAGE, code=1).err
    assert "error: the project token reaches environment production, not staging" in said
