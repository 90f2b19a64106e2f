"""What is told of a deployment that did not serve: why, and what serves now."""

from contextlib import suppress

from pointsman_cli.errors import DeploymentFailed
from pointsman_cli.platforms.railway.api import deployments
from pointsman_cli.platforms.railway.api.client import Client
from pointsman_cli.platforms.railway.api.deployments import Line, Logs, Release, Step
from pointsman_cli.platforms.railway.api.errors import RailwayError
from pointsman_cli.platforms.railway.api.services import Address
from pointsman_cli.platforms.railway.causes import Cause, cause
from pointsman_cli.platforms.railway.outcomes import Outcome, outcome

_LINES = 100
_OTHER = {
    Outcome.SUPERSEDED: Cause(
        "it was cancelled, or another deployment took its place",
        "Does somebody else deploy the same service? Deploy again when they are done.",
    ),
    Outcome.SKIPPED: Cause(
        "Railway skipped it",
        "The service's watch patterns or the plan's limits say so: look at it in the dashboard.",
    ),
    Outcome.NEEDS_APPROVAL: Cause(
        "somebody has to approve it in Railway's dashboard",
        "`pointsman status --platform railway` shows how it goes on after that.",
    ),
}


def failure(
    client: Client, address: Address, deployment: str, status: str, image: str
) -> DeploymentFailed:
    """Return the error for a deployment that ended with this status."""
    why = _OTHER.get(outcome(status)) or _cause(client, deployment, image)
    said = client.secrets.concealed(f"Railway: {status.lower()}: {why.sentence}")
    now = standing(client, address, deployment)
    return DeploymentFailed(
        said, f"{now} {why.hint}", {"release": deployment, "status": status, "serves": now}
    )


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


def _cause(client: Client, deployment: str, image: str) -> Cause:
    steps: list[Step] = []
    with suppress(RailwayError):
        steps = deployments.steps(client, deployment)
    build, run = (_log(client, deployment, which) for which in (Logs.BUILD, Logs.DEPLOYMENT))
    return cause(steps, build, run, image)


def _log(client: Client, deployment: str, which: Logs) -> list[str]:
    """Return what a log says; Railway refuses the log of something that never began."""
    with suppress(RailwayError):
        return [_marked(line) for line in deployments.log(client, deployment, which, _LINES)]
    return []


def _marked(line: Line) -> str:
    """Return a line; Railway takes the level out of a structured one."""
    known = line.severity == "error" and not line.message.lower().startswith("error")
    return f"error: {line.message}" if known else line.message
