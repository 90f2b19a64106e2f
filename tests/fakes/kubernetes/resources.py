"""The kinds that the fake cluster has, and how a client discovers them.

Answers as "Kubernetes API Concepts" and "API discovery" describe them.
"""

from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object."""

    group_version: str
    plural: str
    kind: str

    @property
    def prefix(self) -> str:
        """Where its group lies below the server's root."""
        root = "apis" if "/" in self.group_version else "api"
        return f"/{root}/{self.group_version}"


RESOURCES = (
    Resource("v1", "secrets", "Secret"),
    Resource("v1", "services", "Service"),
    Resource("v1", "pods", "Pod"),
    Resource("apps/v1", "deployments", "Deployment"),
    Resource("apps/v1", "replicasets", "ReplicaSet"),
    Resource("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    Resource("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    Resource("networking.k8s.io/v1", "ingresses", "Ingress"),
)
GROUPS = sorted({each.group_version for each in RESOURCES} - {"v1"})


def discovery(path: str) -> Document | None:
    """Answer what a client asks of the API itself; None for paths that hold objects."""
    return _ANSWERS.get(path)


def _group(group_version: str) -> Document:
    version = {"groupVersion": group_version, "version": group_version.split("/")[1]}
    name = group_version.split("/", maxsplit=1)[0]
    return {"name": name, "versions": [version], "preferredVersion": version}


def _link(resource: Resource) -> Document:
    return {"serverRelativeURL": f"/openapi/v3{resource.prefix}?hash=0"}


def _resources(group_version: str) -> Document:
    verbs = ["create", "delete", "get", "list", "patch", "watch"]
    found = [
        {
            "name": each.plural,
            "singularName": each.kind.lower(),
            "namespaced": True,
            "kind": each.kind,
            "verbs": verbs,
        }
        for each in RESOURCES
        if each.group_version == group_version
    ]
    return {"kind": "APIResourceList", "groupVersion": group_version, "resources": found}


def _openapi(group_version: str) -> Document:
    """Say just enough that kubectl leaves the validation of fields to the server."""
    group, _, version = group_version.rpartition("/")
    parameter = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.37.1"},
        "paths": {
            f"{each.prefix}/namespaces/{{namespace}}/{each.plural}/{{name}}": {
                "patch": {
                    "parameters": [parameter],
                    "x-kubernetes-group-version-kind": {
                        "group": group,
                        "version": version,
                        "kind": each.kind,
                    },
                    "responses": {},
                }
            }
            for each in RESOURCES
            if each.group_version == group_version
        },
    }


_ANSWERS: dict[str, Document] = {
    "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.1", "platform": "linux/amd64"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [*map(_group, GROUPS)]},
    "/openapi/v3": {"paths": {each.prefix[1:]: _link(each) for each in RESOURCES}},
    **{each.prefix: _resources(each.group_version) for each in RESOURCES},
    **{f"/openapi/v3{each.prefix}": _openapi(each.group_version) for each in RESOURCES},
}
