"""What exists at the fake Railway: projects, environments, services, deployments, images."""

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.railway.containers import Container
from tests.fakes.railway.edge import Edge

_BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
_ticks = itertools.count()


def identifier() -> str:
    """Return an id as Railway's are."""
    return str(uuid.uuid4())


def moment() -> str:
    """Return a time that is later than all before."""
    return (_BEGIN + timedelta(seconds=next(_ticks))).isoformat().replace("+00:00", "Z")


@dataclass
class Image:
    """What a registry has under a name; `refusal` is what it answers instead."""

    digest: str = "sha256:" + "1" * 64
    variables: dict[str, str] = field(default_factory=dict)
    """What is wrong with it: variables that the image sets over the service's."""
    refusal: str = ""
    last_words: tuple[str, ...] = ()
    """What a container of it writes before it ends at once; empty for one that runs."""


@dataclass
class Deployment:
    """One deployment; `coming` are the statuses that are still ahead of it."""

    address: tuple[str, str]
    image: str
    settings: dict[str, Any]
    variables: dict[str, str]
    coming: list[str]
    id: str = field(default_factory=identifier)
    created: str = field(default_factory=moment)
    status: str = "INITIALIZING"
    meta: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    build_log: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    container: Container | None = None
    rollback_possible: bool = False

    @property
    def log(self) -> list[str]:
        """What its container wrote."""
        return self.words + (self.container.lines if self.container else []) + self.later


@dataclass
class Instance:
    """A service in an environment."""

    settings: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    source: dict[str, Any] | None = None
    credentials: dict[str, str] | None = None
    domains: list[dict[str, Any]] = field(default_factory=list)
    edge: Edge | None = None
    deleted: str | None = None


@dataclass
class Thing:
    """A workspace, environment or service: a name, and when it was deleted."""

    name: str
    id: str = field(default_factory=identifier)
    deleted: str | None = None
    unmerged: int = 0


@dataclass
class Project:
    """A project with its environments and services."""

    name: str
    workspace: str
    plan: str = "hobby"
    id: str = field(default_factory=identifier)
    deleted: str | None = None
    environments: list[Thing] = field(default_factory=list)
    services: list[Thing] = field(default_factory=list)


@dataclass
class World:
    """Everything, by id where it is asked for by id."""

    workspaces: list[Thing] = field(default_factory=lambda: [Thing("acme")])
    projects: list[Project] = field(default_factory=list)
    instances: dict[tuple[str, str], Instance] = field(default_factory=dict)
    deployments: list[Deployment] = field(default_factory=list)
    images: dict[str, Image] = field(default_factory=dict)
    project_token: tuple[Project, Thing] | None = None

    def project(self, name: str) -> Project:
        """Return the living project with this name."""
        return next(each for each in self.projects if each.name == name and not each.deleted)

    def of_id(self, id: str) -> Project:  # noqa: A002 — as Railway calls it
        """Return the project with this id."""
        return next(each for each in self.projects if each.id == id)

    def instance(self, project: str, environment: str, service: str) -> Instance:
        """Return a service by names."""
        found = self.project(project)
        where = next(each for each in found.environments if each.name == environment)
        what = next(each for each in found.services if each.name == service and not each.deleted)
        return self.instances[what.id, where.id]

    def add_project(self, name: str, *environments: str, plan: str = "hobby") -> Project:
        """Make a project with environments."""
        project = Project(name, self.workspaces[0].id, plan)
        project.environments = [Thing(each) for each in environments or ("production",)]
        self.projects.append(project)
        return project

    def add_service(self, project: Project, name: str, *, deleted: bool = False) -> Thing:
        """Make a service in every environment of a project."""
        service = Thing(name, deleted=moment() if deleted else None)
        project.services.append(service)
        for environment in project.environments:
            self.instances[service.id, environment.id] = Instance()
        return service
