"""How many pods there are: an autoscaler by CPU, and a budget that maintenance has to respect."""

from typing import Any

from pointsman_cli.platforms.kubernetes.release import Release


def autoscaler(release: Release) -> dict[str, Any] | None:
    """Return the HorizontalPodAutoscaler of a release whose number of pods is not fixed."""
    settings = release.settings
    if settings.max_replicas == settings.replicas:
        return None
    cpu = {"type": "Utilization", "averageUtilization": settings.target_cpu_percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": release.metadata(),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": release.name},
            "minReplicas": settings.replicas,
            "maxReplicas": settings.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": cpu}}],
        },
    }


def disruption_budget(release: Release) -> dict[str, Any]:
    """Return the PodDisruptionBudget: one pod at a time, so that one alone can be drained too."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": release.metadata(),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": release.selector}},
    }
