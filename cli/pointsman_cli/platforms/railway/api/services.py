"""A service in one environment: making it empty, its settings, variables, domains, removing it.

A service's environment is always named. Railway's documentation leaves open whether a change in
one environment reaches others, so what the others run can be read before and after.
"""

import re
from typing import Any, NamedTuple

from pointsman_cli.platforms.railway.api.client import Answer, Client
from pointsman_cli.platforms.railway.api.projects import alive

_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASS|CREDENTIAL|AUTH", re.IGNORECASE)
"""What the names of variables have in common whose values nobody is to see."""


class Address(NamedTuple):
    """Where a service is: three ids."""

    project: str
    environment: str
    service: str

    @property
    def instance(self) -> dict[str, str]:
        """The variables that name the service in its environment."""
        return {"serviceId": self.service, "environmentId": self.environment}

    @property
    def input(self) -> dict[str, str]:
        """The same with the project."""
        return {"projectId": self.project, **self.instance}


class Domain(NamedTuple):
    """A public host name, and the port it leads to; None lets Railway find out."""

    host: str
    port: int | None


def create(client: Client, project: str, environment: str, name: str) -> str:
    """Make a service without a source, which therefore deploys nothing yet; return its id."""
    wanted = {"projectId": project, "environmentId": environment, "name": name}
    answer = client.change(f"create service {name}", "service_create", input=wanted)
    return str(answer["serviceCreate"]["id"])


def delete(client: Client, address: Address) -> None:
    """Remove the service from this environment."""
    variables = {"id": address.service, "environmentId": address.environment}
    client.change("delete the service", "service_delete", **variables)


def settings(client: Client, address: Address) -> Answer:
    """Return the settings in force, by Railway's names."""
    answer = client.ask("show the service's settings", "service_settings", **address.instance)
    found: Answer = answer["serviceInstance"]
    return found


def update(client: Client, address: Address, wanted: Answer) -> None:
    """Change settings; deploys nothing."""
    # Doing the same twice is harmless, so a lost answer is no reason to stop: as for variables.
    client.ask("change the service's settings", "service_update", **address.instance, input=wanted)


def variables(client: Client, address: Address) -> dict[str, str]:
    """Return the service's variables as they were written; sealed ones are not among them."""
    answer = client.ask("show the service's variables", "variables", **address.input)
    found: dict[str, str] = answer["variables"] or {}
    client.secrets.add(value for name, value in found.items() if _SECRET.search(name))
    return found


def set_variables(client: Client, address: Address, wanted: dict[str, str]) -> None:
    """Set some variables, in one go, without a deployment for each."""
    given = {**address.input, "variables": wanted, "replace": False, "skipDeploys": True}
    client.ask("set the service's variables", "variables_set", input=given)


def domains(client: Client, address: Address) -> list[Domain]:
    """Return the public host names: the one Railway made up first, which always leads here."""
    found = client.ask("list the service's domains", "domains", **address.input)["domains"]
    own = [node for node in found["customDomains"] if not node.get("deletedAt")]
    made_up = [node for node in found["serviceDomains"] if not node.get("deletedAt")]
    return [Domain(node["domain"], node["targetPort"]) for node in [*made_up, *own]]


def create_domain(client: Client, address: Address, port: int) -> Domain:
    """Let Railway make up a host name that leads to a port."""
    given = {**address.instance, "targetPort": port}
    answer = client.change("create a domain", "domain_create", input=given)["serviceDomainCreate"]
    return Domain(answer["domain"], answer["targetPort"])


def sources(client: Client, environment: str) -> dict[str, Any]:
    """Return what every service of an environment runs and how it is checked, by service id."""
    found: dict[str, Any] = {}
    after = None
    while True:
        variables = {"id": environment, "after": after}
        answer = client.ask("list the environment's services", "environment_services", **variables)
        page = answer["environment"]["serviceInstances"]
        found |= {
            node["serviceId"]: (node["source"], node["healthcheckPath"]) for node in alive(page)
        }
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]
