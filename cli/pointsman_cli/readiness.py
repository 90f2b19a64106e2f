"""Rollback readiness: where a rollback would go, whether it could, and how long it would take.

Instances report how they would find the version. Whether the store still has it is looked up: a
rollback that needs a download needs its files.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pointsman import channel as channels
from pointsman import keys
from pointsman.channel import Channel, Pointer
from pointsman.errors import ObjectNotFound, PointsmanError, StoreError
from pointsman.heartbeat import Heartbeat
from pointsman.registry import Registry
from pointsman_cli.units import duration

RESIDENT = "resident"


@dataclass(frozen=True, slots=True)
class Readiness:
    """The version a rollback goes to (None: nowhere), and what is in the way, if anything is."""

    version: str | None
    trouble: str
    canary: str = ""

    def document(self) -> dict[str, Any]:
        """Return it for `--json`."""
        return {
            "to": self.version,
            "ends_canary": self.canary or None,
            "possible": self.version is not None and not self.trouble,
            "reason": self.trouble,
        }

    def sentence(self, beating: Iterable[Heartbeat]) -> str:
        """Render it in one line, with how long the slowest instance would take."""
        if self.version is None:
            return "a rollback has nowhere to go"
        action = f"end the canary {self.canary}" if self.canary else f"go to {self.version}"
        outlooks = [each for each in beating if each.rollback_readiness]
        if self.canary:
            return f"a rollback would {action}: {self.version} is serving"
        if self.trouble and not _resident_everywhere(outlooks):
            return f"a rollback to {self.version} is impossible: {self.trouble}"
        warning = f"; but {self.trouble}" if self.trouble else ""
        slowest = max(outlooks, key=lambda each: each.rollback_seconds or 0.0, default=None)
        took = f" · {here(slowest)}" if slowest else ""
        return f"a rollback would {action}{took}{warning}"


def readiness(registry: Registry, model: str, channel: Channel) -> Readiness:
    """Look up where a rollback would go, and whether the store has all that it needs."""
    if channel.canary is not None:
        return Readiness(channel.stable.version, "", channel.canary.version)
    target = channels.previous(channel)
    if target is None:
        return Readiness(None, "nothing served before")
    return Readiness(target.version, _trouble(registry, model, target))


def here(beat: Heartbeat, trouble: str = "") -> str:
    """Render how one instance is prepared: `1 ms: resident`, `9 s: download`."""
    prepared = beat.rollback_readiness
    if not prepared:
        return "-"
    if trouble and prepared not in {RESIDENT, "on disk"}:
        return f"impossible: {trouble}"
    if beat.rollback_seconds is None or prepared.startswith("impossible"):
        return prepared
    return f"{duration(beat.rollback_seconds)}: {prepared}"


def _resident_everywhere(outlooks: list[Heartbeat]) -> bool:
    return bool(outlooks) and all(each.rollback_readiness == RESIDENT for each in outlooks)


def _trouble(registry: Registry, model: str, target: Pointer) -> str:
    """Say what the store lacks of a version, in a few words; "" when it has everything."""
    try:
        manifest = registry.resolve(model, target).manifest
    except StoreError as error:
        return f"the store does not tell: {error.message}"
    except PointsmanError as error:
        return error.message
    for file in manifest.files:
        try:
            found = registry.store.head(keys.blob(model, file.sha256))
        except ObjectNotFound:
            return f"the blob of {file.path} is missing"
        except StoreError as error:
            return f"the store does not tell: {error.message}"
        if found.size != file.size:
            return f"the blob of {file.path} is damaged"
    return ""
