"""The budget of requests: usual pauses while there is enough, longer ones when there is not."""

import pytest

from pointsman_cli.platforms.railway.api.budget import Budget

NOW = 1_800_000_000.0


def budget(**headers: str) -> Budget:
    made = Budget()
    made.note({f"x-ratelimit-{name}": value for name, value in headers.items()}, NOW)
    return made


def test_pauses_grow_from_three_seconds_to_ten() -> None:
    pauses = [Budget().pause(looks) for looks in range(8)]
    assert (pauses[0], pauses[-1]) == (3.0, 10.0)
    assert pauses == sorted(pauses)


def test_with_enough_left_nothing_changes() -> None:
    plenty = budget(limit="10000", remaining="9990", reset="3600")
    assert (plenty.pause(0), plenty.is_small) == (3.0, False)


@pytest.mark.parametrize("reset", ["1800", str(NOW + 1800)])
def test_what_is_left_of_a_small_budget_is_spread_over_the_time_to_its_renewal(reset: str) -> None:
    small = budget(limit="100", remaining="110", reset=reset)
    # 100 requests without the reserve are 50 looks in 1800 seconds.
    assert small.pause(0) == pytest.approx(36.0)
    assert small.is_small


def test_no_pause_is_longer_than_a_minute() -> None:
    assert budget(remaining="0", reset="3600").pause(0) == 60.0


def test_headers_that_make_no_sense_or_are_missing_change_nothing() -> None:
    made = budget(limit="100", remaining="50", reset="60")
    made.note({"x-ratelimit-remaining": "many"}, NOW)
    assert (made.limit, made.remaining, made.resets_in) == (100, 50, 60.0)
