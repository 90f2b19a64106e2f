"""What is seen in a version's answers."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pointsman_service.serving.looks import CONSTANT_AFTER, Looks


def one(value: Any, dtype: Any = np.float32) -> dict[str, NDArray[Any]]:
    return {"x": np.array(value, dtype=dtype)}


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_answers_with_nan_or_infinity_are_counted_once_each(odd: float) -> None:
    looks = Looks()
    for values in ([[1.0, 2.0]], [[odd, odd]], [[1.0, odd]]):
        looks.look(one([[1.0]]), one(values))
    assert (looks.looked, looks.nonfinite) == (3, 2)


def test_outputs_of_other_kinds_are_never_odd() -> None:
    looks = Looks()
    looks.look(one([1], np.int64), {"a": np.array([2]), "b": np.array(["text"], object)})
    assert (looks.looked, looks.nonfinite) == (1, 0)


def test_the_same_outputs_for_different_inputs_are_constant_after_a_while() -> None:
    looks = Looks()
    for number in range(CONSTANT_AFTER + 1):
        assert not looks.constant
        looks.look(one([[number]]), one([[7.0]]))
    assert looks.constant
    looks.look(one([[-1.0]]), one([[8.0]]))
    assert not looks.constant


def test_the_same_outputs_for_the_same_inputs_say_nothing() -> None:
    looks = Looks()
    for _ in range(CONSTANT_AFTER + 10):
        looks.look(one([["same"]], object), one([[7.0]]))
    assert looks.varied == 0
    assert not looks.constant


def test_different_inputs_are_counted_once_each_and_anew_when_asked_to() -> None:
    looks = Looks()
    for number in (1.0, 2.0, 1.0, 3.0):
        looks.look(one([[number]]), one([[0.5]]))
    assert looks.snapshot().inputs == 3
    looks.afresh()
    looks.look(one([[1.0]]), one([[0.5]]))
    assert looks.snapshot().inputs == 1


@pytest.mark.parametrize(
    ("outputs", "bins"),
    [
        ([[0.1, 0.7, 0.2], [0.9, 0.1, 0.0], [0.2, 0.6, 0.2]], {1: 2, 0: 1}),
        ([[0.05], [0.55], [1.0]], {0: 1, 5: 1, 9: 1}),
        ([0.05, 0.55, 0.57], {0: 1, 5: 2}),
        ([[0.5, 0.6]], {}),
        ([[0.5, -0.1, 0.6]], {}),
        ([[3.0], [0.5]], {}),
        ([[float("nan")]], {}),
        ([[[0.5, 0.5]]], {}),
    ],
)
def test_scores_are_sorted_by_their_best_class_and_other_numbers_are_not(
    outputs: Any, bins: dict[int, int]
) -> None:
    looks = Looks()
    looks.look(one([[1.0]]), one(outputs))
    assert looks.bins == bins


def looked_in(looks: Looks, begin: float, seconds: float, per_second: int) -> int:
    """How many of the answers that come so often are looked at."""
    before = looks.looked
    for number in range(int(seconds * per_second)):
        looks.answered(begin + number / per_second, one([[1.0]]), one([[1.0]]))
    return looks.looked - before


def test_most_of_the_time_only_some_answers_are_looked_at() -> None:
    looks = Looks()
    assert looked_in(looks, 1.0, 2.0, 8) == 16
    assert 18 <= looked_in(looks, 10.0, 2.0, 5000) <= 21


def test_closely_all_answers_are_looked_at_unless_they_are_very_many() -> None:
    looks = Looks()
    looks.closely()
    assert looked_in(looks, 1.0, 2.0, 400) == 800
    assert looked_in(looks, 10.0, 0.01, 10_000) == 100, "a burst is seen as a whole"
    assert 900 <= looked_in(looks, 20.0, 2.0, 5000) <= 1251
    looks.in_passing()
    assert 18 <= looked_in(looks, 30.0, 2.0, 5000) <= 21


def test_inputs_that_differ_anywhere_are_different_most_of_the_time() -> None:
    looks, first = Looks(), np.zeros((300, 300), np.float32)
    second = first.copy()
    second[150:170] = 1.0
    for array in (first, second):
        looks.look({"x": array}, one([[1.0]]))
    assert (looks.varied, looks.same) == (1, 1)


def test_large_outputs_are_looked_at_in_part() -> None:
    looks, large = Looks(), np.zeros((1 << 10, 1 << 10), np.float32)
    looks.look({"x": large}, {"y": large})
    assert looks.looked == 1
    assert looks.bins == {}
