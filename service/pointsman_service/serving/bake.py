"""When to go back from a version that was switched to: rules, so that they can be tabulated.

A new version is compared with the one it replaced, by what both were asked in this process. Every
rule waits for enough samples, and leaves room for what is merely different: an answer may change,
that is what new versions are for. Scores are compared by which class is best (or, with one score,
by the tenth it lies in): how sure a model is differs widely between good models, how often it
chooses which class does not.
"""

import math
from collections.abc import Mapping

import msgspec


class Looked(msgspec.Struct, frozen=True):
    """What was seen in answers: how many were looked at, and how many of them were odd.

    `varied` had other inputs than the first, and `same` of these nevertheless its outputs; `inputs`
    is how many different inputs there were, and `bins` counts rows by their best class.
    """

    looked: int = 0
    nonfinite: int = 0
    varied: int = 0
    same: int = 0
    inputs: int = 0
    bins: Mapping[int, int] = msgspec.field(default_factory=dict)

    def since(self, before: "Looked") -> "Looked":
        """Return what was seen after `before`; `inputs` is counted anew anyway."""
        bins = {key: count - before.bins.get(key, 0) for key, count in self.bins.items()}
        return Looked(
            self.looked - before.looked,
            self.nonfinite - before.nonfinite,
            self.varied - before.varied,
            self.same - before.same,
            self.inputs,
            {key: count for key, count in bins.items() if count > 0},
        )


class Record(msgspec.Struct, frozen=True):
    """How a version did: requests answered, requests failed by its own fault, 99th percentiles.

    `p99_seconds` is that of its recent requests, `stretches` those of consecutive times of some
    seconds each.
    """

    answered: int = 0
    errors: int = 0
    p99_seconds: float | None = None
    stretches: tuple[float, ...] = ()
    looked: Looked = msgspec.field(default_factory=Looked)

    @property
    def requests(self) -> int:
        """All that it was asked."""
        return self.answered + self.errors

    def since(self, before: "Record") -> "Record":
        """Return how it did after `before`; percentiles are of what was then anyway."""
        return Record(
            self.answered - before.answered,
            self.errors - before.errors,
            self.p99_seconds,
            self.stretches,
            self.looked.since(before.looked),
        )


class Limits(msgspec.Struct, frozen=True):
    """What is too much. Rates are shares of requests; each needs so many samples of both."""

    least_requests: int = 20
    error_rate: float = 0.02
    """More than the old version's. Where that one was hardly asked, `error_rate_alone` counts."""
    error_factor: float = 2.0
    error_rate_alone: float = 0.1
    least_latencies: int = 100
    p99_factor: float = 3.0
    p99_more_seconds: float = 0.05
    """A p99 must be worse by the factor and by this, so that microseconds decide nothing."""
    slow_stretches: int = 4
    of_stretches: int = 5
    """It must be so in four of the last five stretches: a machine that stumbles once is no model's
    fault, and makes every request slow that waits at that moment."""
    nonfinite_rate: float = 0.01
    constant_answers: int = 50
    least_rows: int = 300
    least_inputs: int = 100
    """A few inputs that are asked again and again say nothing of a distribution."""
    shift: float = 1.0
    """Population stability index; 0.25 is what the textbooks call large."""


LIMITS = Limits()


def breach(old: Record, new: Record, limits: Limits = LIMITS) -> str:
    """Say why `new` must go, compared with `old`; "" while there is no reason."""
    for rule in (_errors, _nonfinite, _constant, _latency, _shifted):
        if reason := rule(old, new, limits):
            return reason
    return ""


def _errors(old: Record, new: Record, limits: Limits) -> str:
    if new.requests < limits.least_requests:
        return ""
    rate, before = new.errors / new.requests, _share(old.errors, old.requests)
    allowed = max(before * limits.error_factor, before + limits.error_rate)
    if old.requests < limits.least_requests:
        allowed = limits.error_rate_alone
    if rate <= allowed:
        return ""
    return f"{_percent(rate)} of {new.requests} requests failed, and {_percent(before)} before"


def _nonfinite(old: Record, new: Record, limits: Limits) -> str:
    seen, seen_before = new.looked, old.looked
    if seen.looked < limits.least_requests:
        return ""
    rate = seen.nonfinite / seen.looked
    before = _share(seen_before.nonfinite, seen_before.looked)
    if rate <= before + limits.nonfinite_rate:
        return ""
    return (
        f"{_percent(rate)} of {seen.looked} answers held NaN or infinity, "
        f"and {_percent(before)} before"
    )


def _constant(old: Record, new: Record, limits: Limits) -> str:
    """Outputs that are always the same are a collapse only if those of the old one were not."""
    seen, before = new.looked, old.looked
    if seen.varied < limits.constant_answers or seen.same < seen.varied:
        return ""
    if not before.varied or before.same == before.varied:
        return ""
    return f"its outputs were the same for {seen.varied} different inputs"


def _latency(old: Record, new: Record, limits: Limits) -> str:
    last = new.stretches[-limits.of_stretches :]
    enough = old.answered >= limits.least_latencies and len(last) == limits.of_stretches
    if not enough or old.p99_seconds is None:
        return ""
    allowed = max(old.p99_seconds * limits.p99_factor, old.p99_seconds + limits.p99_more_seconds)
    slow = [each for each in last if each > allowed]
    if len(slow) < limits.slow_stretches:
        return ""
    return f"p99 is {_ms(sorted(slow)[len(slow) // 2])}, and was {_ms(old.p99_seconds)}"


def _shifted(old: Record, new: Record, limits: Limits) -> str:
    before, now = old.looked.bins, new.looked.bins
    if min(sum(before.values()), sum(now.values())) < limits.least_rows:
        return ""
    if min(old.looked.inputs, new.looked.inputs) < limits.least_inputs:
        return ""
    index = stability_index(before, now)
    if index <= limits.shift:
        return ""
    return f"its scores moved: the population stability index is {index:.2f}"


def stability_index(before: Mapping[int, int], now: Mapping[int, int]) -> float:
    """Return how far two distributions over the same bins are apart; 0 if they are the same.

    An empty bin counts as half a sample, so that one rare class does not decide.
    """
    bins = before.keys() | now.keys()
    whole, whole_now = (sum(counts.values()) + len(bins) / 2 for counts in (before, now))
    index = 0.0
    for key in bins:
        share = (before.get(key, 0) + 0.5) / whole
        share_now = (now.get(key, 0) + 0.5) / whole_now
        index += (share_now - share) * math.log(share_now / share)
    return index


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"
