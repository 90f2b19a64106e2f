"""When to go back from a version that was switched to, as a table."""

from collections import Counter
from typing import Any

import pytest

from pointsman_service.serving.bake import Looked, Record, breach, stability_index

TEN_CLASSES = dict.fromkeys(range(10), 100)
GOOD = Record(
    answered=1000,
    errors=1,
    p99_seconds=0.010,
    looked=Looked(looked=1000, nonfinite=0, varied=900, same=10, inputs=900, bins=TEN_CLASSES),
)


def record(**changes: Any) -> Record:
    """A good record with some members changed; those of `looked` are given as they are."""
    names = ("answered", "errors", "p99_seconds", "stretches")
    members = {name: getattr(GOOD, name) for name in names}
    seen = {name: getattr(GOOD.looked, name) for name in Looked.__struct_fields__}
    for name, value in changes.items():
        (members if name in members else seen)[name] = value
    return Record(**members, looked=Looked(**seen))


def test_a_version_as_good_as_the_old_one_stays() -> None:
    assert breach(GOOD, GOOD) == ""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ({}, {"answered": 900, "errors": 100}, "10 % of 1000 requests failed, and 0.0999 % before"),
        ({}, {"answered": 980, "errors": 20}, ""),
        ({}, {"answered": 15, "errors": 5}, "25 % of 20 requests failed"),
        ({}, {"answered": 14, "errors": 5}, ""),
        ({"answered": 900, "errors": 100}, {"answered": 850, "errors": 150}, ""),
        ({"answered": 900, "errors": 100}, {"answered": 700, "errors": 300}, "30 % of 1000"),
        ({"answered": 5, "errors": 0}, {"answered": 95, "errors": 5}, ""),
        ({"answered": 5, "errors": 0}, {"answered": 80, "errors": 20}, "20 % of 100 requests"),
        ({}, {"nonfinite": 20}, "2 % of 1000 answers held NaN or infinity, and 0 % before"),
        ({}, {"nonfinite": 10}, ""),
        ({"nonfinite": 300}, {"nonfinite": 305}, ""),
        ({}, {"looked": 19, "nonfinite": 19}, ""),
        ({}, {"varied": 60, "same": 60}, "its outputs were the same for 60 different inputs"),
        ({}, {"varied": 60, "same": 59}, ""),
        ({}, {"varied": 49, "same": 49}, ""),
        ({"varied": 900, "same": 900}, {"varied": 60, "same": 60}, ""),
        ({"varied": 0, "same": 0}, {"varied": 60, "same": 60}, ""),
        ({}, {"stretches": (0.061,) * 5}, "p99 is 61 ms, and was 10 ms"),
        ({}, {"stretches": (0.059,) * 5}, ""),
        ({}, {"stretches": (9.0,) * 4}, ""),
        ({}, {"stretches": (9.0, 9.0, 0.01, 9.0, 9.0)}, "p99 is 9e+03 ms"),
        ({}, {"stretches": (0.01, 9.0, 9.0, 9.0, 0.01)}, ""),
        ({}, {"stretches": (9.0, 9.0, 9.0, 9.0, 9.0, 0.01, 0.01)}, ""),
        ({"p99_seconds": 1.0}, {"stretches": (2.9,) * 5}, ""),
        ({"p99_seconds": 1.0}, {"stretches": (3.1,) * 5}, "p99 is 3.1e+03 ms"),
        ({"answered": 99}, {"stretches": (9.0,) * 5}, ""),
        ({"p99_seconds": None}, {"stretches": (9.0,) * 5}, ""),
        ({}, {"bins": {3: 1000}}, "its scores moved: the population stability index is"),
        ({}, {"bins": {3: 299}}, ""),
        ({}, {"bins": {3: 1000}, "inputs": 99}, ""),
        ({"inputs": 99}, {"bins": {3: 1000}}, ""),
        ({}, {"bins": TEN_CLASSES | {3: 300}}, ""),
        ({"bins": {}}, {"bins": {3: 1000}}, ""),
    ],
)
def test_a_version_must_go_for_what_is_clearly_worse_and_seen_often_enough(
    old: dict[str, Any], new: dict[str, Any], reason: str
) -> None:
    said = breach(record(**old), record(**new))
    assert said.startswith(reason) if reason else said == ""


def test_only_what_happened_after_the_switch_counts() -> None:
    earlier = record(errors=500, nonfinite=400, bins={1: 7})
    later = record(answered=1100, errors=501, looked=1100, nonfinite=401, bins={1: 9, 2: 1})
    since = later.since(earlier)
    assert (since.answered, since.errors) == (100, 1)
    assert (since.looked.looked, since.looked.nonfinite) == (100, 1)
    assert since.looked.bins == {1: 2, 2: 1}


def test_the_stability_index_is_zero_for_the_same_and_grows_with_the_distance() -> None:
    same = {0: 500, 1: 500}
    assert stability_index(same, same) == 0
    assert 0 < stability_index(same, {0: 600, 1: 400}) < stability_index(same, {0: 900, 1: 100})
    assert stability_index(same, Counter({0: 1000})) > 1
