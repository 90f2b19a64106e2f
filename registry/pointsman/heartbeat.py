"""The heartbeat: what one instance says of itself, and what a set of them adds up to.

An instance writes one when anything changes and otherwise once per interval. Whether it is
live is judged by the store's clock alone (the object's modification time against the store's
present time): the clocks of instance and operator may be wrong without consequence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from pointsman import document

INTERVALS_UNTIL_STALE = 3
LONGEST_INTERVAL_SECONDS = 24 * 3600


class ServableReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version in one instance: its state since when, and how it has been answering."""

    version: str
    digest: str
    state: str
    since: str
    reason: str = ""
    requests: int = 0
    errors: int = 0
    p50_seconds: float | None = None
    p99_seconds: float | None = None


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an instance reports; `observed_generation` is the last one it has dealt with.

    `refused` holds the reason when that generation's version never received a request here.
    """

    schema: int
    instance: str
    model: str
    channel: str
    status: str
    observed_generation: int
    interval_seconds: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_INTERVAL_SECONDS)]
    started: str
    serving: str = ""
    serving_digest: str = ""
    refused: str = ""
    platform: str = ""
    region: str = ""
    image: str = ""
    address: str = ""
    degraded: str = ""
    rollback_readiness: str = ""
    rss_bytes: int = 0
    servables: tuple[ServableReport, ...] = ()

    @property
    def errors(self) -> int:
        """Requests this instance failed to answer, over all its versions since it started."""
        return sum(servable.errors for servable in self.servables)


@dataclass(frozen=True, slots=True)
class Instance:
    """A heartbeat as found in the store, with its age by the store's clock."""

    heartbeat: Heartbeat
    age: timedelta

    @property
    def live(self) -> bool:
        """Whether the heartbeat is younger than three of its intervals."""
        limit = timedelta(seconds=self.heartbeat.interval_seconds) * INTERVALS_UNTIL_STALE
        return self.age < limit


class Verdict(StrEnum):
    """Where an instance stands with a generation."""

    WAITING = "waiting"
    SERVING = "serving"
    REFUSED = "refused"
    SUPERSEDED = "superseded"


def judge(heartbeat: Heartbeat, generation: int, digest: str) -> Verdict:
    """Tell where an instance stands with `generation`, which wants `digest` served."""
    if heartbeat.observed_generation < generation:
        return Verdict.WAITING
    if heartbeat.refused and heartbeat.observed_generation == generation:
        return Verdict.REFUSED
    if heartbeat.serving_digest == digest:
        return Verdict.SERVING
    return Verdict.SUPERSEDED


def read(data: bytes, modified: datetime, now: datetime) -> Instance:
    """Read a heartbeat's document; both times are the store's."""
    heartbeat = document.decode(data, Heartbeat, "a heartbeat")
    return Instance(heartbeat, max(now - modified, timedelta(0)))


def live(instances: Iterable[Instance]) -> list[Heartbeat]:
    """Return the heartbeats of live instances, by instance id."""
    beating = [instance.heartbeat for instance in instances if instance.live]
    return sorted(beating, key=lambda heartbeat: heartbeat.instance)
