"""What a deployment is called at Railway: which workspace, project, environment and service.

Railway's own variables say it by ids, and beat `[railway]` of pointsman.toml. Where nothing is
said the project is called after the model. So is the service, with the channel and environment if
those are not production: a service for each environment cannot be changed by a deploy to another.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pointsman_cli.configuration import Project
from pointsman_cli.errors import UsageError

USUAL_ENVIRONMENT = "production"
_LONGEST = 32
"""Of a service's name: https://docs.railway.com/services."""


@dataclass(frozen=True, slots=True)
class Names:
    """What to look for: by name, or by id where the environment gives one."""

    workspace: str
    project: str
    environment: str
    """What was asked for; "" leaves it to the token, or else means production."""
    service: str
    project_told: bool
    project_id: str = ""
    environment_id: str = ""
    service_id: str = ""


def names(project: Project, model: str, channel: str, variables: Mapping[str, str]) -> Names:
    """Return the names to use; raises `UsageError` for a service's name that is too long."""
    told = project.configuration.railway
    environment = told.environment or project.environment
    service = told.service or _service(model, channel, environment)
    if len(service) > _LONGEST:
        raise UsageError(
            f"{service!r} has {len(service)} letters, and a service at Railway {_LONGEST} at most",
            'Give it a shorter name: service = "…" in [railway] of pointsman.toml.',
        )
    return Names(
        told.workspace,
        told.project or model,
        environment,
        service,
        bool(told.project),
        variables.get("RAILWAY_PROJECT_ID", ""),
        variables.get("RAILWAY_ENVIRONMENT_ID", ""),
        variables.get("RAILWAY_SERVICE_ID", ""),
    )


def _service(*parts: str) -> str:
    usual = {"", USUAL_ENVIRONMENT}
    return "-".join(dict.fromkeys(part for part in parts if part not in usual))
