"""`ramp`: many connections where each is slow, few where each is fast, and more only if it pays."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from pointsman.ramp import Ramp

MIB = 1 << 20
MOST = 16
UNIT = 8 * MIB
ROOM = 24 * UNIT
STEP = 0.005


def ramp() -> Ramp:
    return Ramp(MOST, UNIT, ROOM)


def after(seconds: float, each: Ramp, total: Callable[[int], float]) -> Ramp:
    """Let bytes arrive at `total(connections)` per second for so long."""
    each.arrived(1, 0.0)
    for step in range(1, round(seconds / STEP) + 1):
        each.arrived(int(total(each.connections) * STEP), step * STEP)
    return each


def test_slow_streams_have_all_connections_within_a_tenth_of_a_second() -> None:
    assert after(0.1, ramp(), lambda number: number * 90e6).connections == MOST


def test_what_is_fast_with_two_stays_with_two() -> None:
    assert after(2, ramp(), lambda number: number * 450e6).connections == 2


def test_a_network_that_gives_more_to_more_is_asked_by_more() -> None:
    assert after(9, ramp(), lambda number: number * 150e6).connections == MOST
    assert after(9, ramp(), lambda number: min(number, 4) * 200e6).connections == 4


def test_more_that_does_not_pay_is_tried_once_and_taken_back() -> None:
    tried: list[int] = []

    def limited(number: int) -> float:
        tried.append(number)
        return 600e6

    assert after(9, ramp(), limited).connections == 2
    assert sorted(set(tried)) == [2, 4]
    assert sum(before != now for before, now in pairwise(tried)) == 2


def test_a_stream_that_turns_slow_later_gets_company_again() -> None:
    each = after(1, ramp(), lambda _: 900e6)

    for step in range(400):
        each.arrived(int(90e6 * each.connections * STEP), 1 + step * STEP)

    assert each.connections == MOST


def test_a_server_from_which_nothing_comes_is_far_away() -> None:
    each = ramp()
    each.silent()
    assert each.connections == MOST

    begun = ramp()
    begun.arrived(1, 0.0)
    begun.silent()
    assert begun.connections == 2


def test_what_is_slow_because_there_is_no_room_needs_no_connections() -> None:
    each = ramp()
    each.arrived(1, 0.0)
    for step in range(1, 400):
        each.held()
        each.arrived(1000, step * STEP)
    assert each.connections == 2


def test_ranges_are_short_until_something_is_known_and_long_where_it_is_fast() -> None:
    each = ramp()
    assert each.length(1 << 30) == UNIT

    assert after(1, each, lambda _: 900e6).length(1 << 30) == 6 * UNIT
    assert after(1, ramp(), lambda number: number * 90e6).length(1 << 30) == UNIT


@pytest.mark.parametrize("size", [1, UNIT - 1, UNIT, 20 * MIB + 7, 1 << 30])
def test_ranges_get_shorter_towards_the_end_and_cover_everything(size: int) -> None:
    each = after(1, ramp(), lambda _: 900e6)
    left, lengths = size, []
    while left:
        lengths.append(each.length(left))
        left -= lengths[-1]

    assert sum(lengths) == size
    assert all(length % UNIT == 0 for length in lengths[:-1])
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] <= UNIT
