"""What memory will make of a version on every live instance, before anything is moved.

The rule is `pointsman.memory_policy`, which the service follows; here it is only asked, with what
the instances last reported.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pointsman import memory_policy
from pointsman.errors import PointsmanError
from pointsman.heartbeat import Heartbeat
from pointsman.manifest import Manifest
from pointsman.memory_policy import Strategy

_WORDS = {
    Strategy.SIDE_BY_SIDE: "loads it beside what serves",
    Strategy.IDLE_FIRST: "unloads what only waits, then loads it",
    Strategy.DRAIN_FIRST: "stops serving, loads it, serves again",
    Strategy.REFUSE: "refuses it for want of memory",
}


@dataclass(frozen=True, slots=True)
class Outlook:
    """How one instance would take a version in."""

    instance: str
    strategy: str
    sentence: str

    def document(self) -> dict[str, Any]:
        """Return its part of `--json`."""
        return {"id": self.instance, "memory": self.strategy, "reason": self.sentence}


def outlooks(
    wanted: Manifest,
    digest: str,
    beating: Iterable[Heartbeat],
    manifest: Callable[[str], Manifest],
) -> list[Outlook]:
    """Tell of every instance how it would load `wanted`; `manifest` finds other versions'."""
    return [_outlook(wanted, digest, beat, manifest) for beat in beating]


def _outlook(
    wanted: Manifest, digest: str, beat: Heartbeat, manifest: Callable[[str], Manifest]
) -> Outlook:
    ready = [each for each in beat.servables if each.state == "ready"]
    if any(each.digest == digest for each in ready):
        return Outlook(beat.instance, "resident", "has it in memory already")
    serving: list[Manifest] = []
    idle: list[Manifest] = []
    for each in ready:
        try:
            known = manifest(each.version)
        except PointsmanError:
            continue  # published by nobody any more: what it frees is not counted on
        # A shadow may leave for a version that answers.
        answers = each.role in {"stable", "canary"} or each.digest == beat.serving_digest
        (serving if answers else idle).append(known)
    choice = memory_policy.choose(wanted, beat.memory_available_bytes, serving, idle)
    sentence = f"{_WORDS[choice.strategy]}: {choice.reason}"
    return Outlook(beat.instance, str(choice.strategy), sentence)
