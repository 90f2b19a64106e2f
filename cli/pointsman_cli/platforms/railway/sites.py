"""Where a deployment belongs: found by name or id, and made where it is missing.

Nothing is made twice. A creation without an answer is followed by looking: it may have happened.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pointsman_cli.errors import UsageError
from pointsman_cli.platforms.railway.api import projects, services
from pointsman_cli.platforms.railway.api.client import Client
from pointsman_cli.platforms.railway.api.errors import OutcomeUnknown, RailwayError
from pointsman_cli.platforms.railway.api.identity import Identity, Named
from pointsman_cli.platforms.railway.api.projects import Environment, Project
from pointsman_cli.platforms.railway.api.services import Address
from pointsman_cli.platforms.railway.names import USUAL_ENVIRONMENT, Names

_TABLE = "in [railway] of pointsman.toml"


@dataclass(frozen=True, slots=True)
class Site:
    """What there is already; None for what deploying would make."""

    names: Names
    workspace: Named | None = None
    project: Project | None = None
    environment: Environment | None = None
    service: Named | None = None

    @property
    def environment_name(self) -> str:
        """What the environment is called, or will be."""
        wanted = self.names.environment or USUAL_ENVIRONMENT
        return self.environment.name if self.environment else wanted

    @property
    def project_name(self) -> str:
        """What the project is called, or will be."""
        return self.project.name if self.project else self.names.project

    @property
    def address(self) -> Address | None:
        """The service's ids; None while there is no service."""
        if self.project and self.environment and self.service:
            return Address(self.project.id, self.environment.id, self.service.id)
        return None

    @property
    def title(self) -> str:
        """Name the service by its path."""
        service = self.service.name if self.service else self.names.service
        return f"{self.project_name}/{self.environment_name}/{service}"


def find(client: Client, identity: Identity, names: Names) -> Site:
    """Return what there is; raises `UsageError` when it is not clear which is meant."""
    if identity.project and identity.environment:
        return _of_token(client, identity.project, identity.environment, names)
    workspace = _workspace(identity, names)
    project_id = names.project_id or _project(client, identity, workspace, names)
    project = projects.read(client, project_id) if project_id else None
    if project is None and names.project_id:
        raise UsageError(
            f"there is no project {names.project_id}", "Unset RAILWAY_PROJECT_ID, or correct it."
        )
    return _within(Site(names, workspace, project))


def make(client: Client, site: Site, tell: Callable[[str], None]) -> Site:
    """Make what is missing, the service without a source: that deploys nothing yet."""
    for part, name, create in (
        ("project", site.project_name, _create_project),
        ("environment", site.environment_name, _create_environment),
        ("service", site.names.service, _create_service),
    ):
        if getattr(site, part) is None:
            tell(f"creating {part} {name}")
            site = _made(client, site, part, create)
    return site


def _made(client: Client, site: Site, part: str, create: Callable[[Client, Site], str]) -> Site:
    lost: RailwayError | None = None
    made = ""
    try:
        made = create(client, site)
    except OutcomeUnknown as error:
        lost = error  # it may have happened all the same
    project = site.project.id if site.project else made or _existing(client, site)
    found = _within(replace(site, project=projects.read(client, project) if project else None))
    if getattr(found, part) is None:
        raise lost or RailwayError(
            f"Railway made the {part}, and does not show it", "Wait a minute, and try again."
        )
    return found


def _create_project(client: Client, site: Site) -> str:
    if site.workspace is None:
        raise UsageError(
            f"this token may not make project {site.project_name}",
            "Make it in Railway's dashboard, or use an account or workspace token.",
        )
    return projects.create(client, site.workspace.id, site.project_name, site.environment_name)


def _create_environment(client: Client, site: Site) -> str:
    return projects.create_environment(client, _id(site.project), site.environment_name)


def _create_service(client: Client, site: Site) -> str:
    environment = _id(site.environment)
    return services.create(client, _id(site.project), environment, site.names.service)


def _id(part: Project | Environment | None) -> str:
    return part.id if part else ""


def _existing(client: Client, site: Site) -> str:
    """Look whether the project was made, although nobody said so."""
    workspace = site.workspace.id if site.workspace else ""
    return next(iter(projects.named(client, workspace, site.project_name)), "")


def _of_token(client: Client, project: Named, environment: Named, names: Names) -> Site:
    """Go where the project token leads; raise when something else was asked for."""
    asked = {
        "project": (names.project if names.project_told else "", project.name),
        "environment": (names.environment, environment.name),
        "project ": (names.project_id, project.id),
        "environment ": (names.environment_id, environment.id),
    }
    for what, (wanted, reached) in asked.items():
        if wanted and wanted != reached:
            raise UsageError(
                f"the project token reaches {what.strip()} {reached}, not {wanted}",
                "Use the token of that one, or an account or workspace token in RAILWAY_API_TOKEN.",
            )
    site = _within(
        replace(
            Site(names, None, projects.read(client, project.id)),
            environment=Environment(environment.id, environment.name),
        )
    )
    if site.project is None:
        raise UsageError(f"project {project.name} was deleted", "Make a token of another one.")
    return site


def _within(site: Site) -> Site:
    """Find environment and service in the project."""
    if site.project is None:
        return site
    names, wanted = site.names, site.environment_name
    environment = next(
        (
            each
            for each in site.project.environments
            if (each.id == names.environment_id if names.environment_id else each.name == wanted)
        ),
        None,
    )
    service = next(
        (
            each
            for each in site.project.services
            if (each.id == names.service_id if names.service_id else each.name == names.service)
        ),
        None,
    )
    for part, told in (("environment", names.environment_id), ("service", names.service_id)):
        if told and (environment if part == "environment" else service) is None:
            raise UsageError(
                f"project {site.project.name} has no {part} {told}",
                f"Unset RAILWAY_{part.upper()}_ID, or correct it.",
            )
    return replace(site, environment=environment or site.environment, service=service)


def _workspace(identity: Identity, names: Names) -> Named | None:
    """Return the workspace to work in; None where several might be meant."""
    if names.workspace:
        for each in identity.workspaces:
            if names.workspace in {each.id, each.name}:
                return each
        there = ", ".join(each.name for each in identity.workspaces)
        raise UsageError(
            f"this token reaches no workspace {names.workspace!r}", f"It reaches: {there}."
        )
    return identity.workspaces[0] if len(identity.workspaces) == 1 else None


def _project(client: Client, identity: Identity, workspace: Named | None, names: Names) -> str:
    """Return the id of the project that has the name, "" for none."""
    places = [workspace] if workspace else list(identity.workspaces)
    found = [each for place in places for each in projects.named(client, place.id, names.project)]
    if len(found) > 1:
        raise UsageError(
            f"there are {len(found)} projects called {names.project}: {', '.join(found)}",
            "Say which by RAILWAY_PROJECT_ID=…, or rename one.",
        )
    if not found and workspace is None:
        there = ", ".join(each.name for each in identity.workspaces) or "none"
        raise UsageError(
            f"it is not clear in which workspace project {names.project} is to be made",
            f'Write workspace = "…" {_TABLE}; there is: {there}.',
        )
    return found[0] if found else ""
