"""All objects of a release, in the order in which they are needed, and as text."""

from typing import Any

from pointsman_cli.platforms.kubernetes.exposure import ingress, service
from pointsman_cli.platforms.kubernetes.release import Release
from pointsman_cli.platforms.kubernetes.scaling import autoscaler, disruption_budget
from pointsman_cli.platforms.kubernetes.workload import deployment

_HIDDEN = "(hidden)"


def objects(release: Release) -> list[dict[str, Any]]:
    """Return every object: what the Deployment names comes before it."""
    candidates = [
        release.secret(),
        service(release),
        deployment(release),
        autoscaler(release),
        disruption_budget(release),
        ingress(release),
    ]
    return [each for each in candidates if each is not None]


def superfluous(release: Release) -> list[str]:
    """Return, as `kind/name`, what an earlier release may have had and this one has not."""
    present = {each["kind"] for each in objects(release)}
    optional = ("HorizontalPodAutoscaler", "Ingress")
    return [f"{kind.lower()}/{release.name}" for kind in optional if kind not in present]


def text(rendered: list[dict[str, Any]]) -> str:
    """Return objects as one YAML stream, which `kubectl apply -f -` takes."""
    import yaml

    return yaml.safe_dump_all(rendered, sort_keys=False, explicit_start=True)


def public(rendered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the same objects without what is secret in them, for people's eyes."""
    return [
        each | {"data": dict.fromkeys(each["data"], _HIDDEN)} if each["kind"] == "Secret" else each
        for each in rendered
    ]
