"""What a model's pace tells about how to run it."""

import pytest

from pointsman_service.serving.pace import Pace


@pytest.mark.parametrize(
    ("measured", "best"),
    [
        ({1: 1.0}, 1),
        ({1: 1.0, 2: 1.9, 4: 4.0, 8: 8.6}, 1),  # a convolution
        ({1: 1.0, 2: 1.4, 4: 2.4, 8: 4.8}, 4),  # no more to gain
        ({1: 1.0, 2: 1.02, 4: 1.1, 8: 1.2}, 16),  # who knows what more would bring
        ({1: 1.0, 2: 1.0, 4: 1.0, 64: 2.0}, 64),
    ],
)
def test_as_many_rows_are_put_together_as_gain(measured: dict[int, float], best: int) -> None:
    assert Pace(measured, 64).best_rows == best


def test_the_limit_is_never_exceeded() -> None:
    assert Pace({1: 1.0, 2: 1.0, 4: 1.0}, 4).best_rows == 4
    assert Pace({1: 1.0, 2: 1.0, 4: 1.0}, 3).best_rows <= 3
    assert Pace({1: 1.0}, 1).best_rows == 1


def test_what_was_not_measured_is_expected_in_proportion() -> None:
    pace = Pace({1: 0.1, 4: 0.2})
    assert pace.expected(1) == 0.1
    assert pace.expected(4) == 0.2
    assert pace.expected(3) == 0.2
    assert pace.expected(16) == pytest.approx(0.8)
    assert Pace({8: 0.5}).expected(1) == 0.5


def test_a_pace_follows_what_is_observed() -> None:
    pace = Pace({1: 0.001}, 8)
    for _ in range(200):
        pace.observed(1, 0.1)
    assert pace.expected(1) == pytest.approx(0.1, rel=0.01)
    pace.observed(8, 0.11)
    assert pace.expected(8) == 0.11
    assert pace.best_rows == 8


def test_sizes_that_were_only_measured_at_load_change_as_the_others_do() -> None:
    pace = Pace({1: 1.0, 8: 7.0}, 8)
    assert pace.best_rows == 8
    for _ in range(128):
        pace.observed(1, 0.9)
    assert pace.best_rows == 8, "though 7 seconds are less than a tenth better than 8 times 0.9"
    assert pace.expected(8) == pytest.approx(6.3, rel=0.01)
    for _ in range(64):
        pace.observed(8, 7.1)
    assert pace.best_rows == 1, "what was seen counts"


def test_only_what_is_no_larger_than_something_quick_is_for_the_event_loop() -> None:
    pace = Pace({1: 0.0001, 4: 0.0002, 8: 0.1}, 8, row_elements=10)
    assert pace.is_quick(4, 40)
    assert pace.is_quick(2, 20)
    assert not pace.is_quick(1, 11)
    assert not pace.is_quick(4, 41)
    pace.observed(1, 0.1, 1000)
    assert not pace.is_quick(1, 11)
    pace.observed(1, 0.0001, 30)
    assert pace.is_quick(1, 30)
    assert not pace.is_quick(2, 60)


def test_rows_of_one_size_need_no_count() -> None:
    pace = Pace({1: 0.0001, 8: 0.1}, 8)
    assert not pace.by_elements
    assert pace.is_quick(1)
    assert not pace.is_quick(8)


def test_a_size_that_was_tried_and_loses_is_left() -> None:
    pace = Pace({1: 1.0, 2: 1.2}, 8)
    assert pace.best_rows == 4
    pace.observed(4, 10.0)
    assert pace.best_rows == 2
