"""Answers about services: making and deleting them, their settings, variables and domains."""

from typing import Any

from graphql import GraphQLError

from tests.fakes.railway.call import Call, Document
from tests.fakes.railway.edge import Edge
from tests.fakes.railway.world import Instance, Thing, moment

_LONGEST_NAME = 32
_DEFAULTS: Document = {
    "restartPolicyType": "ON_FAILURE",
    "restartPolicyMaxRetries": 10,
    "watchPatterns": [],
}
_UNREADABLE = "multiRegionConfig"


def service_instance(call: Call, service_id: str, environment_id: str) -> Document:
    return settings_of(service_id, call.instance(service_id, environment_id))


def variables(call: Call, service_id: str, environment_id: str, **_: Any) -> Document:
    return call.instance(service_id, environment_id).variables


def domains(call: Call, service_id: str, environment_id: str, **_: Any) -> Document:
    instance = call.instance(service_id, environment_id)
    return {"serviceDomains": instance.domains, "customDomains": []}


def service_create(call: Call, input: Document) -> Document:  # noqa: A002 — the schema's name
    call.reach(input["environmentId"])
    project, name = call.world.of_id(input["projectId"]), input["name"]
    if len(name) > _LONGEST_NAME:
        raise GraphQLError("Service name must be at most 32 characters")
    if any(each.name == name and not each.deleted for each in project.services):
        raise GraphQLError(f'A service named "{name}" already exists in this project')
    made = Thing(name)
    project.services.append(made)
    call.world.instances[made.id, input["environmentId"]] = Instance()
    return {"id": made.id, "name": name}


def service_delete(call: Call, id: str, environment_id: str) -> bool:  # noqa: A002
    call.instance(id, environment_id).deleted = moment()
    services = [each for project in call.world.projects for each in project.services]
    next(each for each in services if each.id == id).deleted = moment()
    return True


def service_instance_update(
    call: Call,
    service_id: str,
    environment_id: str,
    input: Document,  # noqa: A002
) -> bool:
    reached = [call.instance(service_id, environment_id)]
    if call.faults.spreads:
        everywhere = call.world.instances.items()
        reached = [each for (service, _), each in everywhere if service == service_id]
    kept = {key: value for key, value in input.items() if key not in call.faults.forgotten}
    source, credentials = kept.pop("source", None), kept.pop("registryCredentials", None)
    for instance in reached:
        instance.source = source or instance.source
        instance.credentials = credentials or instance.credentials
        instance.settings |= kept
    return True


def variable_collection_upsert(call: Call, input: Document) -> bool:  # noqa: A002
    address = (input["serviceId"], input["environmentId"])
    instance = call.instance(*address)
    kept = {} if input["replace"] else instance.variables
    instance.variables = kept | input["variables"]
    if not input["skipDeploys"]:
        call.releases.begin(address, "", instance)
    return True


def service_domain_create(call: Call, input: Document) -> Document:  # noqa: A002
    instance = call.instance(input["serviceId"], input["environmentId"])
    instance.edge = Edge()
    made = {"domain": instance.edge.host, "targetPort": input.get("targetPort")}
    instance.domains.append(made)
    return made


def settings_of(service: str, instance: Instance) -> Document:
    """Return what Railway tells of a service's settings."""
    told = {key: value for key, value in instance.settings.items() if key != _UNREADABLE}
    found = {"serviceId": service, "deletedAt": instance.deleted, "source": instance.source}
    return _DEFAULTS | told | found
