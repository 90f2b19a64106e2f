"""Projects, their environments and services: looking them up, and making them."""

from collections.abc import Iterator
from typing import Any

import msgspec

from pointsman_cli.platforms.railway.api.client import Client
from pointsman_cli.platforms.railway.api.identity import Named


class Environment(msgspec.Struct, frozen=True, rename="camel"):
    """One of a project's environments; `unmerged` edits wait in the dashboard to be deployed."""

    id: str
    name: str
    unmerged: int | None = msgspec.field(default=None, name="unmergedChangesCount")


class Project(msgspec.Struct, frozen=True):
    """A project, its plan ("free", "trial", "hobby", "pro"), and what is alive in it."""

    id: str
    name: str
    plan: str
    environments: tuple[Environment, ...]
    services: tuple[Named, ...]


def named(client: Client, workspace: str, name: str) -> list[str]:
    """Return the ids of the workspace's projects that have this name: there may be several."""
    return [node["id"] for node in _nodes(client, workspace) if node["name"] == name]


def read(client: Client, project: str) -> Project | None:
    """Return a project; None when it was deleted."""
    found = client.ask("show the project", "project", id=project)["project"]
    if found["deletedAt"]:
        return None
    return Project(
        found["id"],
        found["name"],
        found["subscriptionType"],
        tuple(msgspec.convert(node, Environment) for node in alive(found["environments"])),
        tuple(Named(node["id"], node["name"]) for node in alive(found["services"])),
    )


def create(client: Client, workspace: str, name: str, environment: str) -> str:
    """Make a project with one environment; return its id."""
    wanted = {"name": name, "workspaceId": workspace, "defaultEnvironmentName": environment}
    answer = client.change(f"create project {name}", "project_create", input=wanted)
    return str(answer["projectCreate"]["id"])


def create_environment(client: Client, project: str, name: str) -> str:
    """Make an environment in which nothing is deployed yet; return its id."""
    wanted = {"projectId": project, "name": name, "skipInitialDeploys": True}
    answer = client.change(f"create environment {name}", "environment_create", input=wanted)
    return str(answer["environmentCreate"]["id"])


def alive(connection: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the nodes that were not deleted: Railway goes on listing those that were."""
    for edge in connection["edges"]:
        if not edge["node"].get("deletedAt"):
            yield edge["node"]


def _nodes(client: Client, workspace: str) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        variables = {"workspaceId": workspace, "after": after}
        page = client.ask("list the projects", "projects", **variables)["projects"]
        yield from alive(page)
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]
