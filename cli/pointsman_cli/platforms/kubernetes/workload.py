"""The Deployment: pods that answer before the old ones go, and may write nothing but the cache.

Sources: Kubernetes "Deployments", "Configure Liveness, Readiness and Startup Probes", "Pod
Security Standards" (restricted), "Container Lifecycle Hooks".
"""

import math
from typing import Any

from pointsman_cli.platforms.kubernetes.release import Release

PORT = 8000
USER = 10001
CACHE = "/var/cache/pointsman"
CONTAINER = "service"
PROGRESS_SECONDS = 600
"""How long a rollout may stand still: as long as fetching a large model may take."""
# Endpoints and proxies hear of a pod's end later than the pod does.
_UNANNOUNCED_SECONDS = 5
_MARGIN_SECONDS = 5


def deployment(release: Release) -> dict[str, Any]:
    """Return the Deployment of a release; where an autoscaler counts replicas, it says nothing."""
    settings = release.settings
    spec = {
        "revisionHistoryLimit": 5,
        "progressDeadlineSeconds": PROGRESS_SECONDS,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": _NEVER_LESS},
        "selector": {"matchLabels": release.selector},
        "template": {
            "metadata": {
                "labels": release.labels,
                "annotations": {"kubectl.kubernetes.io/default-container": CONTAINER},
            },
            "spec": _pod(release),
        },
    }
    if settings.max_replicas == settings.replicas:
        spec = {"replicas": settings.replicas} | spec
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": release.metadata(),
        "spec": spec,
    }


_NEVER_LESS = {"maxSurge": 1, "maxUnavailable": 0}


def _pod(release: Release) -> dict[str, Any]:
    goodbye = _UNANNOUNCED_SECONDS + math.ceil(release.drain_seconds) + _MARGIN_SECONDS
    pull_secret = release.settings.image_pull_secret
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": goodbye,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **({"imagePullSecrets": [{"name": pull_secret}]} if pull_secret else {}),
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": release.selector},
            }
        ],
        "containers": [_container(release)],
        # Versions are fetched again after a pod has gone: a volume would forbid the overlap.
        "volumes": [{"name": "cache", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
    }


def _container(release: Release) -> dict[str, Any]:
    settings = release.settings
    return {
        "name": CONTAINER,
        "image": release.image,
        "ports": [{"name": "http", "containerPort": PORT}],
        "env": [
            {"name": name, "value": value} for name, value in sorted(release.environment.items())
        ],
        "envFrom": [{"secretRef": {"name": release.secret_name}}],
        "resources": {
            "requests": {"cpu": settings.cpu, "memory": settings.memory},
            "limits": {"memory": settings.memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **_PROBES,
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(_UNANNOUNCED_SECONDS)]}}},
        "volumeMounts": [
            {"name": "cache", "mountPath": CACHE},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 — a volume of the pod's own
        ],
    }


def _asks(path: str, **times: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "http"}, **times}


# A pod that still fetches its model is alive and not ready: restarting it would begin anew.
_PROBES = {
    "startupProbe": _asks("/livez", periodSeconds=1, failureThreshold=60, timeoutSeconds=2),
    "readinessProbe": _asks("/health", periodSeconds=2, failureThreshold=2, timeoutSeconds=2),
    "livenessProbe": _asks("/livez", periodSeconds=10, failureThreshold=3, timeoutSeconds=5),
}
