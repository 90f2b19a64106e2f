"""The program: what a stack consists of, run by `pulumi up` and by `pointsman infra` alike.

A bucket and keys by one provider, the declared models published into it, and the outputs as
`pointsman_infra.outputs` reads them.
"""

import os
from typing import Any

import pulumi

from pointsman_infra import providers
from pointsman_infra import settings as stack_settings
from pointsman_infra.dynamic.model_version import ModelVersion
from pointsman_infra.errors import SettingsInvalid
from pointsman_infra.settings import Settings

NAMESPACE = "pointsman"
KEY = "settings"


def main() -> None:
    """Provision what the stack's configuration says; raises `SettingsInvalid` when it cannot."""
    values: Any = pulumi.Config(NAMESPACE).get_object(KEY)
    if not isinstance(values, dict):
        raise SettingsInvalid(
            "the stack has no settings",
            f"`pulumi config set --path {NAMESPACE}:{KEY}.provider r2`, and likewise for bucket.",
        )
    completed = stack_settings.completed(values, os.environ, pulumi.get_stack())
    provision(stack_settings.read(completed))


def provision(settings: Settings) -> None:
    """Declare everything, and hand over the outputs."""
    provisioned = providers.provision(settings)
    if not settings.destroying:
        environment = provisioned.publisher_environment()
        for declared in settings.models:
            ModelVersion(
                declared,
                store=provisioned.store,
                environment=environment,
                opts=pulumi.ResourceOptions(depends_on=provisioned.needed),
            )
    provisioned.export(settings)
