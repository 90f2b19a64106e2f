"""Finding workspace, project, environment and service: by name or id, and never by guessing."""

import pytest

from pointsman_cli.errors import UsageError
from pointsman_cli.platforms.railway.api import token
from pointsman_cli.platforms.railway.api.client import Client
from pointsman_cli.platforms.railway.api.identity import identify
from pointsman_cli.platforms.railway.names import Names
from pointsman_cli.platforms.railway.sites import Site, find, make
from tests.fakes.railway.server import ACCOUNT_TOKEN, Railway
from tests.fakes.railway.world import Thing


def names(**given: object) -> Names:
    usual = {
        "workspace": "",
        "project": "digits",
        "environment": "",
        "service": "digits",
        "project_told": False,
    }
    return Names(**{**usual, **given})  # type: ignore[arg-type]


def client(railway: Railway) -> Client:
    held = token.from_environment({"RAILWAY_API_TOKEN": ACCOUNT_TOKEN})
    return Client(railway.url, held, lambda _: None)


def found(railway: Railway, **given: object) -> Site:
    asking = client(railway)
    return find(asking, identify(asking), names(**given))


def refusal(railway: Railway, **given: object) -> str:
    with pytest.raises(UsageError) as error:
        found(railway, **given)
    return f"{error.value.message}\n{error.value.hint}"


def test_what_there_is_is_found_by_name_without_the_deleted(railway: Railway) -> None:
    gone = railway.world.add_project("digits")
    gone.deleted = "2026-11-01T00:00:00Z"
    project = railway.world.add_project("digits", "production", "staging")
    railway.world.add_service(project, "digits", deleted=True)
    service = railway.world.add_service(project, "digits")
    site = found(railway, environment="staging")
    assert site.address == (project.id, project.environments[1].id, service.id)
    assert site.title == "digits/staging/digits"


def test_ids_beat_names(railway: Railway) -> None:
    railway.world.add_project("digits")
    other = railway.world.add_project("other", "live")
    service = railway.world.add_service(other, "web")
    ids = {
        "project_id": other.id,
        "environment_id": other.environments[0].id,
        "service_id": service.id,
    }
    assert found(railway, **ids).title == "other/live/web"


@pytest.mark.parametrize("part", ["project", "environment", "service"])
def test_an_id_of_nothing_is_refused(railway: Railway, part: str) -> None:
    project = railway.world.add_project("digits")
    railway.world.add_service(project, "digits")
    if part == "project":
        project.deleted = "2026-11-01T00:00:00Z"
    wrong = project.id if part == "project" else "no-such-id"
    assert f"RAILWAY_{part.upper()}_ID" in refusal(railway, **{f"{part}_id": wrong})


def test_two_projects_of_one_name_are_told_apart_by_id(railway: Railway) -> None:
    both = [railway.world.add_project("digits").id for _ in range(2)]
    said = refusal(railway)
    assert f"there are 2 projects called digits: {', '.join(both)}" in said
    assert "RAILWAY_PROJECT_ID=" in said


def test_of_several_workspaces_one_has_to_be_named_to_make_a_project(railway: Railway) -> None:
    railway.world.workspaces.append(Thing("umbrella"))
    assert "there is: acme, umbrella" in refusal(railway)
    assert "reaches no workspace 'initech'" in refusal(railway, workspace="initech")
    asking = client(railway)
    site = find(asking, identify(asking), names(workspace="umbrella"))
    make(asking, site, lambda _: None)
    assert railway.world.project("digits").workspace == railway.world.workspaces[1].id


def test_a_project_that_exists_says_itself_in_which_workspace_it_is(railway: Railway) -> None:
    railway.world.workspaces.append(Thing("umbrella"))
    project = railway.world.add_project("digits")
    assert (found(railway).project or site_of_nothing()).id == project.id


def site_of_nothing() -> Thing:
    raise AssertionError("the project was not found")
