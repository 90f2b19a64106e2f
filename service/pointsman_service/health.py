"""Whether this instance is fit to be sent requests, and what it serves: one truth for all readers.

Ready means exactly that a version answers and the process is not about to end. Being `degraded`
(the store is out of reach, the aspired version was refused) does not make it unready: the last
good version answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointsman_service.service import Service


@dataclass(frozen=True, slots=True)
class Health:
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
    reason = manager.trouble or refused or service.source.trouble
    if service.router.stable is None:
        return Health("failed" if manager.refusal else "loading", ready=False, degraded=reason)
    if not reason and manager.origin == "cache":
        reason = "serving what was served last, until the store answers"
    return Health("degraded" if reason else "ok", ready=True, degraded=reason)


def expectation(service: "Service", expected: Mapping[str, str]) -> str:
    """Say what is served instead of what `expected` demands; "" when it is what is served.

    Knows `version`, `digest` and `generation`; others are ignored. A generation whose version
    was refused here is not served, though it has been dealt with.
    """
    stable, manager = service.router.stable, service.manager
    served = {
        "version": stable.name if stable else "",
        "digest": stable.version.digest if stable else "",
        "generation": "" if manager.refusal else str(manager.observed_generation),
    }
    for name, present in served.items():
        if expected.get(name, present) != present:
            return f"expected {name} {expected[name] or '(empty)'}, serving {present or 'another'}"
    return ""


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
