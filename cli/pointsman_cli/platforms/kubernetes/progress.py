"""Watching a rollout until all pods are new and ready, or one of them shows that it never will."""

import time
from collections.abc import Callable
from contextlib import suppress

from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, DeploymentFailed, Unverified
from pointsman_cli.platforms.kubernetes import cluster
from pointsman_cli.platforms.kubernetes.kubectl import Kubectl
from pointsman_cli.platforms.kubernetes.observation import Observation, PodState, Trouble
from pointsman_cli.units import counted, duration

_LOOK_SECONDS = 0.5


def follow(context: Context, kubectl: Kubectl, timeout: float) -> Observation:
    """Return when the rollout has settled, telling of every pod's steps.

    Raises `DeploymentFailed` within seconds of a pod that cannot serve, and `Unverified` when
    `timeout` seconds were not enough.
    """
    started = time.monotonic()
    told: dict[str, str] = {}
    with context.output.waiting("waiting for the new pods") as update:
        while True:
            seen = cluster.observed(kubectl.observe())
            if seen is None:
                raise DeploymentFailed(
                    f"the deployment {kubectl.name} is gone: somebody removed it meanwhile",
                    "`pointsman deploy --platform kubernetes` makes it again.",
                )
            seconds = time.monotonic() - started
            _tell(seen, told, context.output.step, seconds)
            if seen.settled:
                return seen
            if seen.troubles:
                raise _failed(kubectl, seen, seen.troubles[0])
            if seconds > timeout:
                raise _late(seen, timeout)
            update(_standing(seen))
            time.sleep(_LOOK_SECONDS)


def _tell(
    seen: Observation, told: dict[str, str], step: Callable[[str], None], seconds: float
) -> None:
    for pod in seen.pods:
        if told.get(pod.name) != pod.state:
            told[pod.name] = pod.state
            step(f"{pod.name}: {pod.state} after {duration(seconds)}")


def _standing(seen: Observation) -> str:
    older = f", {counted(seen.older, 'older pod')} still there" if seen.older else ""
    return f"{seen.ready}/{seen.wanted} new pods ready{older}"


def _failed(kubectl: Kubectl, seen: Observation, trouble: Trouble) -> DeploymentFailed:
    message = cluster.cause(trouble, _said(kubectl, trouble))
    before = seen.way_back()
    if before not in seen.serving:
        return DeploymentFailed(message, "Nothing serves now: no pod of another release is ready.")
    return DeploymentFailed(
        message,
        f"{seen.images[before]} goes on serving. "
        "`pointsman rollback --image --platform kubernetes` takes the new one back.",
    )


def _said(kubectl: Kubectl, trouble: Trouble) -> str:
    """Return the last words of a container that ran, wherever they are kept."""
    if not trouble.ended:
        return ""
    for previous in (True, False):
        with suppress(CommandError):
            if said := cluster.last_words(kubectl.last_words(trouble.pod, previous=previous)):
                return said
    return ""


def _late(seen: Observation, timeout: float) -> Unverified:
    waiting = [_waiting(pod) for pod in seen.pods if not pod.ready]
    reason = waiting[0] if waiting else _standing(seen)
    return Unverified(
        f"the rollout has not settled within {duration(timeout)}: {reason}",
        "It goes on: `pointsman status --platform kubernetes` shows how far, "
        "`pointsman rollback --image --platform kubernetes` takes it back.",
    )


def _waiting(pod: PodState) -> str:
    return f"pod {pod.name} is {pod.state}" if " " not in pod.state else f"{pod.name} {pod.state}"
