"""How the service is reached: a Service inside the cluster, an Ingress where a host is named."""

from typing import Any

from pointsman_cli.platforms.kubernetes.release import Release


def service(release: Release) -> dict[str, Any]:
    """Return the Service: port 80 of every ready pod."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": release.metadata(),
        "spec": {
            "type": "ClusterIP",
            "selector": release.selector,
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def ingress(release: Release) -> dict[str, Any] | None:
    """Return the Ingress of a release that has a host."""
    settings = release.settings
    if not settings.host:
        return None
    backend = {"service": {"name": release.name, "port": {"name": "http"}}}
    spec: dict[str, Any] = {
        "rules": [
            {
                "host": settings.host,
                "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
            }
        ]
    }
    if settings.ingress_class:
        spec["ingressClassName"] = settings.ingress_class
    if settings.tls_secret:
        spec["tls"] = [{"hosts": [settings.host], "secretName": settings.tls_secret}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": release.metadata(),
        "spec": spec,
    }
