"""Deployments: starting one, what became of it step by step, its logs, and going back to it."""

from enum import StrEnum
from typing import Any

import msgspec

from pointsman_cli.platforms.railway.api.client import Client
from pointsman_cli.platforms.railway.api.services import Address


class Step(msgspec.Struct, frozen=True, rename="camel"):
    """One thing Railway does for a deployment: BUILD_IMAGE, HEALTHCHECK, …."""

    step: str
    created_at: str = ""
    completed_at: str | None = None
    attempt: int | None = None
    max_attempts: int | None = None
    detail: str | None = None
    error: str | None = None
    reason: str | None = None
    skipped: bool | None = None


class Release(msgspec.Struct, frozen=True, rename="camel"):
    """A deployment. What `meta` holds is not documented, and incomplete while it is building."""

    id: str
    status: str
    created_at: str = ""
    can_rollback: bool = False
    meta: dict[str, Any] | None = None
    instances: tuple[dict[str, str], ...] = ()

    @property
    def image(self) -> str:
        """The image it runs; "" for one that Railway built."""
        return str((self.meta or {}).get("image") or "")

    @property
    def digest(self) -> str:
        """The image's digest, if Railway says."""
        return str((self.meta or {}).get("imageDigest") or "")

    @property
    def settings(self) -> dict[str, Any] | None:
        """The settings it was deployed with, by Railway's names; None where they are not told."""
        manifest = (self.meta or {}).get("serviceManifest")
        settings = manifest.get("deploy") if isinstance(manifest, dict) else None
        return settings if isinstance(settings, dict) else None


class Line(msgspec.Struct, frozen=True):
    """A line of a log."""

    timestamp: str
    message: str
    severity: str | None = None


class Logs(StrEnum):
    """Which log."""

    BUILD = "build"
    DEPLOYMENT = "deployment"


def start(client: Client, address: Address) -> str:
    """Deploy with the settings of now; return the deployment's id.

    Never a "redeploy": those replay the image of before.
    """
    answer = client.change("deploy the service", "deploy", **address.instance)
    return str(answer["serviceInstanceDeployV2"])


def status(client: Client, deployment: str) -> str:
    """Return one word: BUILDING, SUCCESS, …."""
    answer = client.ask("show the deployment", "deployment_status", id=deployment)
    return str(answer["deployment"]["status"])


def read(client: Client, deployment: str) -> Release:
    """Return all that is known of a deployment."""
    answer = client.ask("show the deployment", "deployment", id=deployment)["deployment"]
    return msgspec.convert(answer, Release)


def steps(client: Client, deployment: str) -> list[Step]:
    """Return what was done so far, oldest first."""
    answer = client.ask("show the deployment's steps", "deployment_events", id=deployment)
    nodes = [edge["node"] for edge in answer["deploymentEvents"]["edges"]]
    found = [msgspec.convert(node | (node["payload"] or {}), Step) for node in nodes]
    return sorted(found, key=lambda each: each.created_at)


def latest(client: Client, address: Address, count: int = 20) -> list[Release]:
    """Return the last deployments of the service here, newest first."""
    variables = {"input": address.input, "first": count}
    answer = client.ask("list the deployments", "deployments", **variables)["deployments"]
    found = [msgspec.convert(edge["node"], Release) for edge in answer["edges"]]
    return sorted(found, key=lambda each: each.created_at, reverse=True)


def roll_back(client: Client, deployment: str) -> None:
    """Start a deployment with image, settings and variables of this one; no id comes back."""
    client.change("go back to that deployment", "rollback", id=deployment)


def log(
    client: Client, deployment: str, which: Logs, limit: int, since: str | None = None
) -> list[Line]:
    """Return the last `limit` lines, oldest first; with `since`, those from that time on."""
    variables: dict[str, Any] = {"deploymentId": deployment, "limit": limit}
    if which is Logs.DEPLOYMENT:
        variables["startDate"] = since
    answer = client.ask(f"show the {which} log", f"{which}_logs", **variables)
    lines = [msgspec.convert(each, Line) for each in answer[f"{which}Logs"]]
    # Railway may send one row more than was asked for.
    return sorted(lines, key=lambda line: line.timestamp)[-limit:]
