"""What is told of a deployment that did not serve: why, and what serves now."""

from contextlib import suppress
from dataclasses import dataclass

from pointsman_cli.errors import DeploymentFailed
from pointsman_cli.platforms.railway.api import deployments
from pointsman_cli.platforms.railway.api.client import Client
from pointsman_cli.platforms.railway.api.deployments import Line, Logs, Release, Step
from pointsman_cli.platforms.railway.api.errors import RailwayError
from pointsman_cli.platforms.railway.api.services import Address
from pointsman_cli.platforms.railway.causes import Cause, cause
from pointsman_cli.platforms.railway.outcomes import Outcome, outcome

_LINES = 100
_TOLD_LINES = 10
_WORDS = {
    "FAILED": "the release failed",
    "CRASHED": "the release crashed",
    "REMOVED": "the release was removed",
    "REMOVING": "the release was removed",
    "SKIPPED": "the release was skipped",
    "NEEDS_APPROVAL": "the release waits",
}
_OTHER = {
    Outcome.SUPERSEDED: Cause(
        "it was cancelled, or another deployment took its place",
        "Does somebody else deploy the same service? Deploy again when they are done.",
    ),
    Outcome.SKIPPED: Cause(
        "Railway found nothing to deploy",
        "The service's watch patterns or the plan's limits say so: look at it in the dashboard.",
    ),
    Outcome.NEEDS_APPROVAL: Cause(
        "somebody has to approve it in Railway's dashboard",
        "`pointsman status --platform railway` shows how it goes on after that.",
    ),
}


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a deployment that is over: its steps, and the ends of both logs."""

    steps: list[Step]
    build_log: list[str]
    log: list[str]

    @property
    def end(self) -> list[str]:
        """The last lines of the log that matters: of the container, once there was one."""
        return [line.rstrip() for line in (self.log or self.build_log)][-_TOLD_LINES:]


def failure(
    client: Client, address: Address, deployment: str, status: str, image: str
) -> DeploymentFailed:
    """Return the error for a deployment that ended with this status."""
    record = _record(client, deployment)
    why = _OTHER.get(outcome(status)) or cause(record.steps, record.build_log, record.log, image)
    what = _WORDS.get(status, status.lower())
    said = client.secrets.concealed(f"{what}: {why.sentence}")
    now = standing(client, address, deployment)
    document = {
        "release": deployment,
        "status": status,
        "serves": now,
        "log": [client.secrets.concealed(line) for line in record.end],
    }
    return DeploymentFailed(said, f"{now} {why.hint}", document)


def serving(client: Client, address: Address, other_than: str = "") -> Release | None:
    """Return the deployment that serves now, if one does."""
    for each in deployments.latest(client, address):
        if each.id != other_than and outcome(each.status) is Outcome.SERVES:
            return each
    return None


def standing(client: Client, address: Address, failed: str) -> str:
    """Say what serves after a deployment has failed."""
    try:
        before = serving(client, address, failed)
    except RailwayError:
        return "Whether the release before still serves could not be found out."
    if before is None:
        return "Nothing serves now: there is no other release that runs."
    what = before.image or "the release"
    return f"What ran before goes on serving: {what}, deployment {before.id}."


def _record(client: Client, deployment: str) -> Record:
    steps: list[Step] = []
    with suppress(RailwayError):
        steps = deployments.steps(client, deployment)
    build, run = (_log(client, deployment, which) for which in (Logs.BUILD, Logs.DEPLOYMENT))
    return Record(steps, build, run)


def _log(client: Client, deployment: str, which: Logs) -> list[str]:
    """Return what a log says; Railway refuses the log of something that never began."""
    with suppress(RailwayError):
        return [_marked(line) for line in deployments.log(client, deployment, which, _LINES)]
    return []


def _marked(line: Line) -> str:
    """Return a line; Railway takes the level out of a structured one."""
    known = line.severity == "error" and not line.message.lower().startswith("error")
    return f"error: {line.message}" if known else line.message
