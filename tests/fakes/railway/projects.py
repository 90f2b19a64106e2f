"""Answers about whose a token is, and about projects and environments."""

from typing import Any

from graphql import GraphQLError

from tests.fakes.railway.call import Call, Document, connection
from tests.fakes.railway.services import settings_of
from tests.fakes.railway.world import Project, Thing

REGIONS = ("us-west2", "europe-west4-drams3a")


def me(call: Call) -> Document:
    call.needs("account")
    workspaces = [vars(each) for each in call.world.workspaces]
    return {"id": "user", "name": "Ada", "email": "ada@acme.test", "workspaces": workspaces}


def api_token(call: Call) -> Document:
    call.needs("workspace", "account")
    return {"workspaces": [vars(each) for each in call.world.workspaces]}


def project_token(call: Call) -> Document:
    if call.caller.project is None:
        raise GraphQLError("Project Token not found")
    project, environment = call.caller.project
    return {
        "projectId": project.id,
        "environmentId": environment.id,
        "project": _project(project),
        "environment": _environment(call, environment),
    }


def projects(call: Call, workspace_id: str = "", **_: Any) -> Document:
    call.needs("workspace", "account")
    mine = [each for each in call.world.projects if workspace_id in {"", each.workspace}]
    return connection(_project(each) for each in mine)


def project(call: Call, id: str) -> Document:  # noqa: A002 — the schema's name
    found = next((each for each in call.world.projects if each.id == id), None)
    own = call.caller.project
    if found is None or (own and own[0].id != id):
        raise GraphQLError("Project not found")
    environments = connection(_environment(call, each) for each in found.environments)
    services = connection(_thing(each) for each in found.services)
    return _project(found) | {"environments": environments, "services": services}


def environment(call: Call, id: str) -> Document:  # noqa: A002
    call.reach(id)
    return _environment(call, Thing("", id))


def regions(call: Call, **_: Any) -> list[Document]:
    return [{"id": None, "name": name, "region": None} for name in REGIONS]


def project_create(call: Call, input: Document) -> Document:  # noqa: A002
    call.needs("workspace", "account")
    if not input.get("workspaceId"):
        raise GraphQLError("Personal workspaces are no longer supported")
    made = Project(input["name"], input["workspaceId"])
    made.environments = [Thing(input.get("defaultEnvironmentName") or "production")]
    call.world.projects.append(made)
    return _project(made)


def environment_create(call: Call, input: Document) -> Document:  # noqa: A002
    call.needs("workspace", "account")
    made = Thing(input["name"])
    call.world.of_id(input["projectId"]).environments.append(made)
    return _environment(call, made)


def _environment(call: Call, thing: Thing) -> Document:
    here = [
        settings_of(service, instance)
        for (service, environment), instance in call.world.instances.items()
        if environment == thing.id
    ]
    unmerged = {"unmergedChangesCount": thing.unmerged}
    return _thing(thing) | unmerged | {"serviceInstances": connection(here)}


def _thing(thing: Thing) -> Document:
    return {"id": thing.id, "name": thing.name, "deletedAt": thing.deleted}


def _project(project: Project) -> Document:
    return {
        "id": project.id,
        "name": project.name,
        "deletedAt": project.deleted,
        "subscriptionType": project.plan,
    }
