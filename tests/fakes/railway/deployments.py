"""Answers about deployments: starting them, looking at them, their logs, and going back."""

from typing import Any

from graphql import GraphQLError

from tests.fakes.railway.call import Call, Document, connection
from tests.fakes.railway.world import Deployment, identifier


def deployments(call: Call, input: Document, first: int = 10) -> Document:  # noqa: A002
    address = (input["serviceId"], input["environmentId"])
    found = [each for each in call.world.deployments if each.address == address]
    return connection(_told(each) for each in found[::-1][:first])


def deployment(call: Call, id: str) -> Document:  # noqa: A002 — the schema's name
    found = _of_id(call, id)
    if call.operation == "DeploymentStatus":
        call.releases.look(found)
    return _told(found)


def deployment_events(call: Call, id: str, **_: Any) -> Document:  # noqa: A002
    return connection(_of_id(call, id).events)


def build_logs(call: Call, deployment_id: str, limit: int = 100, **_: Any) -> list[Document]:
    return _log(_of_id(call, deployment_id).build_log, limit)


def deployment_logs(
    call: Call, deployment_id: str, limit: int = 100, start_date: str | None = None, **_: Any
) -> list[Document]:
    lines = _log(_of_id(call, deployment_id).log, limit)
    return [line for line in lines if not start_date or line["timestamp"] >= start_date]


def service_instance_deploy_v2(call: Call, service_id: str, environment_id: str) -> str:
    instance = call.instance(service_id, environment_id)
    image = (instance.source or {}).get("image") or ""
    return call.releases.begin((service_id, environment_id), image, instance).id


def deployment_rollback(call: Call, id: str) -> bool:  # noqa: A002
    old = _of_id(call, id)
    if not old.rollback_possible:
        raise GraphQLError("This deployment cannot be rolled back to")
    instance = call.world.instances[old.address]
    instance.settings, instance.variables = dict(old.settings), dict(old.variables)
    instance.source = {"image": old.image}
    call.releases.begin(old.address, old.image, instance)
    return True


def _of_id(call: Call, id: str) -> Deployment:  # noqa: A002
    found = next((each for each in call.world.deployments if each.id == id), None)
    if found is None:
        raise GraphQLError("Deployment not found")
    return found


def _told(deployment: Deployment) -> Document:
    replica = {"id": identifier(), "status": "RUNNING"}
    return {
        "id": deployment.id,
        "status": deployment.status,
        "createdAt": deployment.created,
        "canRollback": deployment.rollback_possible,
        "meta": deployment.meta or None,
        "instances": [replica] if deployment.status == "SUCCESS" else [],
    }


def _log(lines: list[str], limit: int) -> list[Document]:
    """Return the last lines, one more than was asked for, as Railway does at times."""
    numbered = [
        {"timestamp": f"2026-11-01T00:{number // 60:02}:{number % 60:02}Z", "message": line}
        for number, line in enumerate(lines)
    ]
    return numbered[-limit - 1 :]
