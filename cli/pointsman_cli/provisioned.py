"""The provisioned store, as the other commands see it: outputs instead of configuration."""

from collections.abc import MutableMapping

import msgspec

from pointsman_cli.configuration import Project
from pointsman_infra.outputs import Role, StoreOutputs

# Left from another identity, any of these would be used instead, or spoil what is used.
_IDENTITY = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
)


def project(configured: Project, handed: StoreOutputs) -> Project:
    """Return the configuration with the provisioned store and fleet in it."""
    fleet = configured.configuration.fleet or handed.fleet
    configuration = msgspec.structs.replace(
        configured.configuration, store=handed.store, fleet=fleet
    )
    return msgspec.structs.replace(configured, configuration=configuration)


def take_on(handed: StoreOutputs, role: Role, environment: MutableMapping[str, str]) -> None:
    """Put a role's variables in the place of whatever identity an environment holds."""
    for name in _IDENTITY:
        environment.pop(name, None)
    environment.update(handed.environment(role))
