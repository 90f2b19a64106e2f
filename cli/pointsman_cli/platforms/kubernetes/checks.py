"""What will not work in a cluster, found out before anything changes."""

import json

from pointsman import findings
from pointsman.errors import PointsmanError
from pointsman.findings import Finding
from pointsman_cli import process
from pointsman_cli.configuration import FILE_NAME
from pointsman_cli.platforms.kubernetes import cluster as clusters
from pointsman_cli.platforms.kubernetes.kubectl import PROGRAM, Kubectl
from pointsman_cli.tables import KubernetesSettings

_INSTALL = "Install it: https://kubernetes.io/docs/tasks/tools/"
_WRITTEN = (("create", "deployments.apps"), ("create", "secrets"), ("create", "services"))


def settings(table: KubernetesSettings) -> list[Finding]:
    """Tell whether the members of `[kubernetes]` contradict each other."""
    found = []
    if table.max_replicas < table.replicas:
        found.append(
            findings.error(
                "settings",
                f"{FILE_NAME}: kubernetes.max_replicas ({table.max_replicas}) is below "
                f"replicas ({table.replicas})",
                "Raise it, or make it the same to switch scaling off.",
            )
        )
    if table.tls_secret and not table.host:
        found.append(
            findings.error(
                "settings",
                f"{FILE_NAME}: kubernetes.tls_secret is for an Ingress, and there is no host",
                'Add host = "models.example.com".',
            )
        )
    return found or [findings.ok("settings", f"[kubernetes] of {FILE_NAME} is consistent")]


def image(named: str) -> list[Finding]:
    """Tell whether an image is named."""
    if not named:
        return [
            findings.error(
                "image",
                "there is no registry from which the nodes could pull the image",
                'Put repository = "ghcr.io/me/digits" under [image], or name one with --image.',
            )
        ]
    return [findings.ok("image", f"{named} is to run")]


def cluster(kubectl: Kubectl) -> list[Finding]:
    """Tell whether there is a cluster, and whether one may write what is written."""
    if process.find(PROGRAM) is None:
        return [findings.error("kubectl", "kubectl is not installed, or not on PATH", _INSTALL)]
    try:
        versions = json.loads(clusters.ask(kubectl.versions()))
    except PointsmanError as error:
        return [findings.error("cluster", error.message, error.hint)]
    server = versions.get("serverVersion", {}).get("gitVersion", "of unknown version")
    refused = [f"{verb} {kind}" for verb, kind in _WRITTEN if not _may(kubectl, verb, kind)]
    if refused:
        return [
            findings.error(
                "permission",
                f"the cluster does not let you {', '.join(refused)}",
                "Ask for a role that may, or choose another namespace or context.",
            )
        ]
    return [findings.ok("cluster", f"the cluster ({server}) answers, and may be written to")]


def _may(kubectl: Kubectl, verb: str, kind: str) -> bool:
    # It ends with 1 for a no, which is an answer and no failure.
    return process.run(kubectl.may(verb, kind), timeout=30).stdout.strip() == "yes"
