"""Whether this instance is fit to be sent requests, and what it serves: one truth for all readers.

Ready means exactly that a version answers and the process is not about to end. Being `degraded`
(the store is out of reach, the aspired version was refused) does not make it unready: the last
good version answers.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from pointsman_service.service import Service
    from pointsman_service.serving.manager import Manager


class Health(msgspec.Struct, frozen=True):
    """A verdict: `status` is one of ok, degraded, loading, failed, draining."""

    status: str
    ready: bool
    degraded: str = ""


def judge(service: "Service") -> Health:
    """Tell how this instance is."""
    if service.draining:
        return Health("draining", ready=False)
    manager = service.manager
    refused = manager.refusal.reason if manager.refusal else ""
    # What is in the manager's way now is newer than what it refused before.
    reason = manager.trouble or refused or service.source.trouble or refused_beside(manager)
    if service.router.stable is None:
        return Health("failed" if manager.refusal else "loading", ready=False, degraded=reason)
    if not reason and manager.origin == "cache":
        reason = "serving what was served last, until the store answers"
    return Health("degraded" if reason else "ok", ready=True, degraded=reason)


def refused_beside(manager: "Manager") -> str:
    """Say why canary and shadow are not what the channel says; "" when they are."""
    return "; ".join(
        f"{role} {refusal.pointer.version}: {refusal.reason}"
        for role, refusal in manager.refused_beside.items()
    )


def expectation(service: "Service", expected: Mapping[str, str]) -> str:
    """Say what is served instead of what `expected` demands; "" when it is what is served.

    Knows `version`, `digest` and `generation`, which are about the stable version, and `canary`,
    which is a version's name; others are ignored. A generation of which anything was refused here
    is not served, though it has been dealt with.
    """
    router, manager = service.router, service.manager
    stable, canary = router.stable, router.canary
    refused = manager.refusal is not None or bool(manager.refused_beside)
    served = {
        "version": stable.name if stable else "",
        "digest": stable.version.digest if stable else "",
        "generation": "" if refused else str(manager.observed_generation),
        "canary": canary.name if canary else "",
    }
    for name, present in served.items():
        if expected.get(name, present) != present:
            wanted = expected[name]
            why = _why(service, name, wanted)
            return f"expected {name} {wanted or '(empty)'}, serving {present or 'none'}{why}"
    return ""


def _why(service: "Service", name: str, wanted: str) -> str:
    """Say what stands between what is wanted and what is served, as far as that is known."""
    manager, channel, canary = service.manager, service.manager.channel, service.router.canary
    refusal, progress = manager.refusal, service.loader.progress
    refused = f"{refusal.pointer.version} was refused: {refusal.reason}" if refusal else ""
    beside = f"refused: {refused_beside(manager)}" if manager.refused_beside else ""
    is_canary = canary is not None and wanted in {canary.name, canary.version.digest}
    reasons = (
        f"{wanted} is the canary" if is_canary else "",
        refused if name != "canary" else "",
        beside if name in {"canary", "generation"} else "",
        f"{progress.version} is on its way: {progress.step}" if progress else "",
        manager.trouble or service.source.trouble,
        f"the channel is at generation {channel.generation}"
        if channel and name == "generation"
        else "",
    )
    return next((f": {reason}" for reason in reasons if reason), "")


def describe(service: "Service", verdict: Health) -> dict[str, Any]:
    """Return the body of `/health`."""
    stable, manager = service.router.stable, service.manager
    age = service.source.age_seconds
    body: dict[str, Any] = {
        "status": verdict.status,
        "model_loaded": stable is not None,
        "model": service.settings.model,
        "version": stable.name if stable else None,
        "digest": stable.version.digest if stable else None,
        "channel": service.settings.channel,
        "generation": manager.observed_generation or None,
        "source": manager.origin or None,
        "age_seconds": None if age is None else round(age, 3),
        "instance": service.identity.instance,
    }
    body |= beside(service)
    if verdict.degraded:
        body["reason"] = verdict.degraded
    if service.heartbeats.trouble:
        body["heartbeats"] = service.heartbeats.trouble
    if progress := service.loader.progress:
        body["loading"] = {
            "version": progress.version,
            "step": progress.step,
            "done_bytes": progress.done_bytes,
            "total_bytes": progress.total_bytes,
        }
    return body


def beside(service: "Service") -> dict[str, Any]:
    """Return who else computes here: canary, shadow, and how the last switch is doing."""
    manager, channel = service.manager, service.manager.channel
    members: dict[str, Any] = {}
    if (canary := service.router.canary) is not None and channel and channel.canary:
        members["canary"] = {"version": canary.name, "weight": channel.canary.weight}
    if (shadow := manager.mirror.servable) is not None and channel and channel.shadow:
        members["shadow"] = {"version": shadow.name, "percent": channel.shadow.percent}
    if (verdict := manager.bake.verdict) is not None:
        members["bake"] = {"version": verdict.version, "state": verdict.state}
        if verdict.reason:
            members["bake"]["reason"] = verdict.reason
    return members
