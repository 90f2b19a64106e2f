"""The guard of an automatic rollout: which readings end it, and which do not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman_cli.guard import Limits, breach, missing
from pointsman_cli.traffic import Reading

LIMITS = Limits(error_rate=0.01, p99_factor=1.5)


def reading(version: str, **changes: Any) -> Reading:
    members: dict[str, Any] = {"requests": 1000, "p99_seconds": 0.010, "instances": 3}
    return Reading(version, f"sha256:{version}", **(members | changes))


STABLE = reading("v1")


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"errors": 10},
        {"p99_seconds": 0.015},
        {"p99_seconds": None, "requests": 0},
        {"p99_seconds": 9.0, "requests": 3},
    ],
)
def test_what_is_within_the_limits_goes_on(good: dict[str, Any]) -> None:
    assert breach(reading("v2", **good), STABLE, LIMITS) == ""


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ({"errors": 11}, "11 of 1011 requests to v2 failed, and 1 % is the limit"),
        ({"requests": 0, "errors": 1}, "1 of 1 request to v2 failed"),
        ({"nonfinite": 1}, "1 answer of v2 held NaN or infinity"),
        ({"constant": 2}, "the outputs of v2 are always the same on 2 instances"),
        ({"p99_seconds": 0.016}, "the p99 of v2 is 16 ms, 1.6 times that of v1 (10 ms)"),
    ],
)
def test_what_is_outside_is_named_with_its_numbers(bad: dict[str, Any], complaint: str) -> None:
    assert complaint in breach(reading("v2", **bad), STABLE, LIMITS)


def test_a_limit_in_seconds_needs_no_stable_to_compare_with() -> None:
    limits = Limits(error_rate=1.0, p99_seconds=0.25)
    assert "250 ms is the limit" in breach(reading("v2", p99_seconds=0.3), STABLE, limits)
    assert breach(reading("v2", p99_seconds=0.2), STABLE, limits) == ""


def test_what_stable_does_too_is_not_held_against_the_canary() -> None:
    usual = reading("v1", nonfinite=100, constant=3)
    assert breach(reading("v2", nonfinite=100, constant=1), usual, LIMITS) == ""
    assert "NaN" in breach(reading("v2", nonfinite=101), usual, LIMITS)


def test_few_requests_are_waited_for() -> None:
    assert missing(reading("v2", requests=3, errors=2), LIMITS) == 15
    assert missing(reading("v2", requests=25), LIMITS) == 0


@given(requests=st.integers(0, 10_000), errors=st.integers(0, 10_000))
def test_an_error_rate_above_the_limit_never_goes_on(requests: int, errors: int) -> None:
    ended = breach(reading("v2", requests=requests, errors=errors), STABLE, LIMITS)
    if errors > 0.01 * max(requests + errors, LIMITS.least_requests):
        assert "failed" in ended
    else:
        assert ended == ""
