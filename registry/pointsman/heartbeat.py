"""The heartbeat: what one instance says of itself, and what a set of them adds up to.

An instance writes one when anything changes and otherwise once per interval. Whether it is
live is judged by the store's clock alone (the object's modification time against the store's
present time): the clocks of instance and operator may be wrong without consequence.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from pointsman import document

INTERVALS_UNTIL_STALE = 3
HURRIED_SECONDS = 5.0
"""How often an instance beats at least while a canary runs: somebody decides by what it reports."""
LONGEST_INTERVAL_SECONDS = 24 * 3600
ASLEEP = "asleep"
"""The status of an instance that beats no more until somebody asks it for a prediction."""
_BESIDE = ("canary", "shadow")


class ShadowReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a shadow's outputs compare with what was answered.

    `dropped` were not computed, to stay within the budget; `max_difference` is the largest of any
    output's value, `top1_agreement` the share (0 to 1) of rows with the same best class.
    """

    requests: int = 0
    dropped: int = 0
    max_difference: float | None = None
    top1_agreement: float | None = None


class ServableReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version in one instance: its state since when, and how it has been answering.

    `role` is "stable", "canary", "shadow", or "" for one that only waits. `rejected` requests
    were wrong themselves, `dropped` ones came when there was no room or time; `nonfinite` answers
    held NaN or infinity; `constant` says that its recent outputs have all been the same, whatever
    the inputs were.
    """

    version: str
    digest: str
    state: str
    since: str
    role: str = ""
    reason: str = ""
    requests: int = 0
    errors: int = 0
    rejected: int = 0
    dropped: int = 0
    nonfinite: int = 0
    constant: bool = False
    p50_seconds: float | None = None
    p99_seconds: float | None = None
    shadow: ShadowReport | None = None


class Bake(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The bake window after a switch: whether the new version is watched, passed or returned."""

    version: str
    state: str
    reason: str = ""
    until: str = ""


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an instance reports; `observed_generation` is the last one it has dealt with.

    `refused` holds the reason when that generation's version never received a request here, and
    `canary_refused` when its canary or shadow did not, while the stable version serves.
    `rollback_seconds` is what a rollback is expected to take here; `poll_seconds` is how often
    it looks at the channel.
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
    canary_refused: str = ""
    unserved: int = 0
    """Requests that came when no version was there to answer them."""
    rollback_readiness: str = ""
    rollback_seconds: float | None = None
    poll_seconds: float | None = None
    rss_bytes: int = 0
    memory_available_bytes: int | None = None
    memory_limit_bytes: int | None = None
    bake: Bake | None = None
    servables: tuple[ServableReport, ...] = ()

    @property
    def errors(self) -> int:
        """Requests this instance failed to answer, over all its versions since it started."""
        return sum(servable.errors for servable in self.servables)

    @property
    def failed(self) -> int:
        """Requests that ended without an answer although nothing was wrong with them.

        What a shadow fails at, nobody had asked for.
        """
        asked = [servable for servable in self.servables if servable.role != "shadow"]
        return self.unserved + sum(servable.errors + servable.dropped for servable in asked)


class Instance(msgspec.Struct, frozen=True):
    """A heartbeat as found in the store, with its age by the store's clock."""

    heartbeat: Heartbeat
    age: timedelta

    @property
    def asleep(self) -> bool:
        """Whether it rests: it serves what it served, and follows the channel when it is asked."""
        return self.heartbeat.status == ASLEEP

    @property
    def live(self) -> bool:
        """Whether the heartbeat is younger than three of its intervals, and others will follow."""
        if self.asleep:
            return False
        limit = timedelta(seconds=self.heartbeat.interval_seconds) * INTERVALS_UNTIL_STALE
        return self.age < limit


class Verdict(StrEnum):
    """Where an instance stands with a generation."""

    WAITING = "waiting"
    SERVING = "serving"
    REFUSED = "refused"
    SUPERSEDED = "superseded"


def judge(
    heartbeat: Heartbeat, generation: int, digest: str, beside: Collection[str] = ()
) -> Verdict:
    """Tell where an instance stands with `generation`, which wants `digest` served.

    `beside` are the digests of a canary or shadow that has to be there as well: one that is
    refused is a refusal, and one that is not reported is waited for.
    """
    if heartbeat.observed_generation < generation:
        return Verdict.WAITING
    dealing_with_it = heartbeat.observed_generation == generation
    refused = heartbeat.refused or (heartbeat.canary_refused if beside else "")
    if refused and dealing_with_it:
        return Verdict.REFUSED
    there = {servable.digest for servable in heartbeat.servables if servable.role in _BESIDE}
    if heartbeat.serving_digest == digest and there.issuperset(beside):
        return Verdict.SERVING
    if heartbeat.serving_digest == digest and dealing_with_it:
        return Verdict.WAITING
    return Verdict.SUPERSEDED


def read(data: bytes) -> Heartbeat:
    """Read a heartbeat's document; raises `InvalidDocument`."""
    return document.decode(data, Heartbeat, "a heartbeat")


def seen(heartbeat: Heartbeat, modified: datetime, now: datetime) -> Instance:
    """Return a heartbeat with its age; both times are the store's."""
    return Instance(heartbeat, max(now - modified, timedelta(0)))


def live(instances: Iterable[Instance]) -> list[Heartbeat]:
    """Return the heartbeats of live instances, by instance id."""
    beating = [instance.heartbeat for instance in instances if instance.live]
    return sorted(beating, key=lambda heartbeat: heartbeat.instance)
