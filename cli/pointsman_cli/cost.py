"""What following a channel costs: every look and every report of an instance is a request."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pointsman import fleet, heartbeat
from pointsman.errors import StoreError
from pointsman.heartbeat import HURRIED_SECONDS, Heartbeat
from pointsman_cli.units import counted, duration
from pointsman_infra import prices
from pointsman_infra.prices import BEAT_SECONDS, POLL_SECONDS, STORES

if TYPE_CHECKING:
    from pointsman_cli.context import Context

_NAMES = {"s3": "S3", "r2": "R2", "gs": "Google", "tigris": "Tigris", "railway": "Railway"}


@dataclass(frozen=True, slots=True)
class Following:
    """Instances that follow a channel, and how often each looks and reports."""

    instances: int
    poll_seconds: float = POLL_SECONDS
    beat_seconds: float = BEAT_SECONDS
    hurried: bool = False
    """Whether they report that often only because a canary runs."""

    def dollars(self) -> dict[str, tuple[float, float]]:
        """Return dollars per month for looks and for reports, by store."""
        return {
            name: prices.following(each, self.instances, self.poll_seconds, self.beat_seconds)
            for name, each in STORES.items()
        }

    def document(self) -> dict[str, Any]:
        """Return the same for `--json`."""
        return {
            "as_of": prices.AS_OF,
            "instances": self.instances,
            "poll_seconds": self.poll_seconds,
            "heartbeat_seconds": self.beat_seconds,
            "dollars_per_month": {
                name: {"polling": round(looks, 2), "heartbeats": round(reports, 2)}
                for name, (looks, reports) in self.dollars().items()
            },
        }

    def sentence(self) -> str:
        """Render it in one line; list prices, so that free allowances only make it less."""
        told = " · ".join(
            f"{_NAMES[name]} ${sum(parts):.2f}" for name, parts in self.dollars().items()
        )
        often = f"a look every {duration(self.poll_seconds)}, a report every"
        while_ = " while a canary runs" if self.hurried else ""
        return (
            f"following, by {counted(self.instances, 'instance')} ({often} "
            f"{duration(self.beat_seconds)}{while_}): {told} a month, list prices of {prices.AS_OF}"
        )


def of(beating: Iterable[Heartbeat], *, hurried: bool = False) -> Following:
    """Return what live instances do, by what they report of themselves; at least for one.

    With `hurried`, at the pace at which they report while a canary runs.
    """
    beating = list(beating)
    if not beating:
        return Following(1)
    polls = [each.poll_seconds or POLL_SECONDS for each in beating]
    usual = [each.interval_seconds for each in beating]
    beats = [min(each, HURRIED_SECONDS) for each in usual] if hurried else usual
    return Following(len(beating), _often(polls), _often(beats), beats != usual)


def expected(context: "Context") -> Following | None:
    """Return what a deployment will do: as many instances as there are now, or one.

    None where no request is paid for: the store is a directory.
    """
    if context.registry.store.url.startswith("file:"):
        return None
    try:
        found = fleet.instances(context.fleet_store, context.model, context.channel)
    except StoreError:
        found = []
    return of(heartbeat.live(found))


def _often(intervals: list[float]) -> float:
    """Return the interval at which this many would ask as often as these do."""
    return len(intervals) / sum(1 / interval for interval in intervals)
