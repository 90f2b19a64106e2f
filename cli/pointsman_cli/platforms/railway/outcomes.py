"""What a deployment's status means: go on waiting, done, or over, and in which way.

Statuses: `DeploymentStatus` of Railway's schema. One that is not known is waited out.
"""

from enum import StrEnum


class Outcome(StrEnum):
    """What to do about a status."""

    WAIT = "wait"
    SERVES = "serves"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    SKIPPED = "skipped"
    NEEDS_APPROVAL = "needs approval"


_OUTCOMES = {
    "SUCCESS": Outcome.SERVES,
    "SLEEPING": Outcome.SERVES,
    "FAILED": Outcome.FAILED,
    "CRASHED": Outcome.FAILED,
    "REMOVED": Outcome.SUPERSEDED,
    "REMOVING": Outcome.SUPERSEDED,
    "SKIPPED": Outcome.SKIPPED,
    "NEEDS_APPROVAL": Outcome.NEEDS_APPROVAL,
}
_QUEUED = {
    "INITIALIZING": "Railway is preparing",
    "QUEUED": "queued; on the Free and Hobby plans that may take a while",
    "WAITING": "waiting for Railway; on the Free and Hobby plans that may take a while",
    "BUILDING": "building",
    "DEPLOYING": "deploying",
}


def outcome(status: str) -> Outcome:
    """Return what a status means."""
    return _OUTCOMES.get(status, Outcome.WAIT)


def waiting(status: str) -> str:
    """Say what is being waited for."""
    return _QUEUED.get(status, status.lower().replace("_", " "))
