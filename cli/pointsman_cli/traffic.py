"""Traffic: how each version has been answering, over all live instances, by their heartbeats."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.heartbeat import Heartbeat, ServableReport, ShadowReport


@dataclass(frozen=True, slots=True)
class Reading:
    """One version over several instances.

    Latencies are means over instances, weighted by their requests, of what each reports of its
    recent requests; `constant` counts instances whose outputs were all the same.
    """

    version: str
    digest: str
    instances: int = 0
    requests: int = 0
    errors: int = 0
    dropped: int = 0
    nonfinite: int = 0
    constant: int = 0
    p50_seconds: float | None = None
    p99_seconds: float | None = None
    shadow: ShadowReport | None = None

    @property
    def attempts(self) -> int:
        """Requests that were answered or failed."""
        return self.requests + self.errors

    @property
    def error_rate(self) -> float:
        """The share of attempts that failed."""
        return self.errors / self.attempts if self.attempts else 0.0

    def document(self) -> dict[str, Any]:
        """Return its part of `--json`."""
        return {
            "version": self.version,
            "instances": self.instances,
            "requests": self.requests,
            "errors": self.errors,
            "dropped": self.dropped,
            "nonfinite": self.nonfinite,
            "constant": self.constant,
            "p50_seconds": self.p50_seconds,
            "p99_seconds": self.p99_seconds,
        }


@dataclass(slots=True)
class Meter:
    """Reads what happened since `begin`, whatever an instance had counted before."""

    _before: dict[tuple[str, str], ServableReport] = field(default_factory=dict)

    def begin(self, beating: Iterable[Heartbeat]) -> None:
        """Count from what the instances report now."""
        self._before = {
            (beat.instance, each.digest): each for beat in beating for each in beat.servables
        }

    def read(self, version: str, digest: str, beating: Iterable[Heartbeat]) -> Reading:
        """Return what a version did since; an instance that was started again counts from 0."""
        return read(version, digest, beating, self._before)


def read(
    version: str,
    digest: str,
    beating: Iterable[Heartbeat],
    before: Mapping[tuple[str, str], ServableReport] | None = None,
) -> Reading:
    """Return what a version did on all instances, after what they had reported `before`."""
    found = [
        (each, (before or {}).get((beat.instance, digest)))
        for beat in beating
        for each in beat.servables
        if each.digest == digest and each.state not in {"failed", "loading"}
    ]
    reports = [each for each, _ in found]

    def total(member: str) -> int:
        return sum(_since(getattr(now, member), now, then, member) for now, then in found)

    return Reading(
        version,
        digest,
        instances=len(reports),
        requests=total("requests"),
        errors=total("errors"),
        dropped=total("dropped"),
        nonfinite=total("nonfinite"),
        constant=sum(each.constant for each in reports),
        p50_seconds=_mean([(each.p50_seconds, each.requests) for each in reports]),
        p99_seconds=_mean([(each.p99_seconds, each.requests) for each in reports]),
        shadow=_compared([each.shadow for each in reports if each.shadow]),
    )


def _since(value: int, now: ServableReport, then: ServableReport | None, member: str) -> int:
    if then is None or now.requests < then.requests or value < getattr(then, member):
        return value
    return int(value - getattr(then, member))


def _mean(weighted: Iterable[tuple[float | None, int]]) -> float | None:
    known = [(value, max(weight, 1)) for value, weight in weighted if value is not None]
    weights = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / weights if weights else None


def _compared(reports: list[ShadowReport]) -> ShadowReport | None:
    if not reports:
        return None
    differences = [each.max_difference for each in reports if each.max_difference is not None]
    return ShadowReport(
        requests=sum(each.requests for each in reports),
        dropped=sum(each.dropped for each in reports),
        max_difference=max(differences, default=None),
        top1_agreement=_mean([(each.top1_agreement, each.requests) for each in reports]),
    )
