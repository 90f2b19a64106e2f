"""The guard of an automatic rollout: whether a canary may have more of the requests. Pure rules."""

from dataclasses import dataclass

from pointsman_cli.traffic import Reading
from pointsman_cli.units import counted, duration, percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much worse than stable a canary may be.

    `error_rate` is a share; the 99th percentile may be `p99_factor` times stable's, or at most
    `p99_seconds`; nothing is believed of fewer than `least_requests`.
    """

    error_rate: float
    p99_factor: float | None = None
    p99_seconds: float | None = None
    least_requests: int = 20


def breach(canary: Reading, stable: Reading, limits: Limits) -> str:
    """Say which limit a canary broke, in one sentence; "" while it broke none."""
    return (
        _nonfinite(canary, stable)
        or _collapsed(canary, stable)
        or _failing(canary, limits)
        or _slow(canary, stable, limits)
    )


def missing(canary: Reading, limits: Limits) -> int:
    """Return how many more requests the canary has to answer before anything is believed."""
    return max(0, limits.least_requests - canary.attempts)


def _nonfinite(canary: Reading, stable: Reading) -> str:
    """What stable answers with NaN too, clients are used to."""
    usual = stable.nonfinite / stable.requests if stable.requests else 0.0
    if canary.nonfinite > usual * canary.requests:
        answers = counted(canary.nonfinite, "answer")
        return f"{answers} of {canary.version} held NaN or infinity"
    return ""


def _collapsed(canary: Reading, stable: Reading) -> str:
    """Where stable's outputs are all the same too, so were the inputs."""
    if canary.constant and not stable.constant:
        where = counted(canary.constant, "instance")
        return f"the outputs of {canary.version} are always the same on {where}"
    return ""


def _failing(canary: Reading, limits: Limits) -> str:
    """Few requests count as many: one that failed of three says little."""
    judged = max(canary.attempts, limits.least_requests, 1)
    if canary.errors / judged <= limits.error_rate:
        return ""
    return (
        f"{canary.errors} of {counted(canary.attempts, 'request')} to {canary.version} failed, and "
        f"{percent(limits.error_rate)} is the limit"
    )


def _slow(canary: Reading, stable: Reading, limits: Limits) -> str:
    if canary.p99_seconds is None or missing(canary, limits):
        return ""
    told = f"the p99 of {canary.version} is {duration(canary.p99_seconds)}"
    if limits.p99_seconds is not None and canary.p99_seconds > limits.p99_seconds:
        return f"{told}, and {duration(limits.p99_seconds)} is the limit"
    if limits.p99_factor is None or not stable.p99_seconds:
        return ""
    if canary.p99_seconds <= limits.p99_factor * stable.p99_seconds:
        return ""
    times = canary.p99_seconds / stable.p99_seconds
    return (
        f"{told}, {times:.1f} times that of {stable.version} ({duration(stable.p99_seconds)}), and "
        f"{limits.p99_factor:g} times is the limit"
    )
