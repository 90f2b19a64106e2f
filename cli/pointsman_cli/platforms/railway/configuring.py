"""Giving a service its variables and settings before it is deployed, and making sure they stuck.

Only what differs is sent, all variables at once and without a deployment of their own.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pointsman_cli.errors import DeploymentFailed
from pointsman_cli.platforms.railway.api import services
from pointsman_cli.platforms.railway.api.client import Client
from pointsman_cli.platforms.railway.api.errors import RailwayError
from pointsman_cli.platforms.railway.api.services import Address
from pointsman_cli.platforms.railway.settings import differences
from pointsman_cli.platforms.railway.sites import Site
from pointsman_cli.units import counted

_MOST_ENVIRONMENTS = 5
"""More are not watched: every one costs requests."""


@dataclass(frozen=True, slots=True)
class Desired:
    """What the service is to be told: variables, and settings by Railway's names."""

    variables: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, Any]
    credentials: Mapping[str, str] | None = field(default=None, repr=False)


def changed(found: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Return the names of the variables that would be set anew."""
    return sorted(name for name, value in wanted.items() if found.get(name) != value)


def apply(client: Client, site: Site, address: Address, desired: Desired) -> str:
    """Set variables and settings; return what was set, in a sentence, or "".

    Raises `DeploymentFailed` for a setting that did not stick.
    """
    told = []
    if names := changed(services.variables(client, address), desired.variables):
        services.set_variables(client, address, {name: desired.variables[name] for name in names})
        told.append(f"set {counted(len(names), 'variable')}")
    given, found = dict(desired.settings), services.settings(client, address)
    if desired.credentials:
        given["registryCredentials"] = dict(desired.credentials)
    # What Railway does not tell has to be sent every time.
    if given.keys() - found.keys() or differences(given, found):
        before = _elsewhere(client, site, address)
        _set(client, address, desired, given)
        _compare(before, _elsewhere(client, site, address))
        told.append("settings applied and read back")
    return ", ".join(told)


def _set(client: Client, address: Address, desired: Desired, given: Mapping[str, Any]) -> None:
    services.update(client, address, dict(given))
    # Settings that cannot be read here are compared with those of the deployment, afterwards.
    if wrong := differences(desired.settings, services.settings(client, address)):
        raise DeploymentFailed(
            f"Railway did not take over the service's settings: {'; '.join(wrong)}",
            "Nothing was deployed, and what ran goes on serving. Try again, or set it in the "
            "dashboard.",
        )


def _compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    if moved := [name for name, runs in after.items() if before.get(name, runs) != runs]:
        raise DeploymentFailed(
            f"Railway changed the service in {', '.join(moved)} too; nothing was deployed",
            "Put the settings there back in the dashboard, and give the service of this "
            'environment a name of its own: service = "…" in [railway].',
        )


def _elsewhere(client: Client, site: Site, address: Address) -> dict[str, Any]:
    """Return what the same service runs in the project's other environments."""
    environments = site.project.environments if site.project else ()
    others = [each for each in environments if each.id != address.environment]
    found = {}
    for each in others[:_MOST_ENVIRONMENTS]:
        with suppress(RailwayError):  # a token may not be allowed to look
            runs = services.sources(client, each.id).get(address.service)
            if runs is not None:
                found[each.name] = runs
    return found
