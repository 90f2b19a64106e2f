"""Which versions may go: rules, tried on any mixture of versions and channels."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman import manifest
from pointsman.manifest import File
from pointsman.retention import YOUNG, Dated, choose, names
from tests.versions import described

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def _dated(number: int, age: timedelta = timedelta(days=9)) -> Dated:
    """Version `v<number>`, created in the order of the numbers."""
    files = (File(path="a.onnx", size=1, sha256="0" * 64),)
    created = NOW - timedelta(days=300 - number)
    return Dated(manifest.seal(described(f"v{number}", files, "m", created)), NOW - age)


def _removed(versions: list[Dated], named: dict[str, str], keep: int) -> list[str]:
    return [each.manifest.version for each in choose(versions, named, keep, NOW).removed]


def test_the_newest_stay_and_the_oldest_go_first() -> None:
    assert _removed([_dated(3), _dated(1), _dated(4), _dated(2)], {}, 2) == ["v1", "v2"]


def test_a_canary_and_a_shadow_are_named_as_much_as_stable_is() -> None:
    channel = {
        "stable": {"version": "v3", "digest": "sha256:3"},
        "canary": {"version": "v1", "digest": "sha256:1", "weight": 5},
        "shadow": {"version": "v2", "digest": "sha256:2", "percent": 5},
    }
    found = names("production", channel)
    assert _removed([_dated(1), _dated(2), _dated(3)], found, 0) == []


def test_what_a_channel_names_by_name_or_by_digest_stays() -> None:
    versions = [_dated(1), _dated(2), _dated(3)]
    named = {"v1": "named by production", versions[1].version.digest: "in the history of x"}
    plan = choose(versions, named, 1, NOW)
    assert plan.removed == ()
    assert [reason for _, reason in plan.kept] == [
        "named by production",
        "in the history of x",
        "among the newest",
    ]


def test_what_was_published_within_a_day_stays() -> None:
    young, old = _dated(1, YOUNG - timedelta(seconds=1)), _dated(2, YOUNG)
    assert _removed([young, old, _dated(3)], {}, 1) == ["v2"]


def test_a_channel_names_versions_wherever_they_stand_in_it() -> None:
    document: dict[str, Any] = {
        "stable": {"version": "v1", "digest": "sha256:1"},
        "canary": {"version": "v2", "digest": "sha256:2", "weight": 0.1},
        "shadows": [{"to": {"version": "v3"}}],
        "history": [{"version": "v4", "digest": "sha256:4"}, {"version": "v1"}],
    }
    found = names("production", document)
    assert found.keys() == {"v1", "v2", "v3", "v4", "sha256:1", "sha256:2", "sha256:4"}
    assert found["v1"] == "named by production"
    assert found["v4"] == "in the history of production"


@given(
    ages=st.lists(st.integers(0, 60), max_size=12),
    named=st.sets(st.integers(0, 12)),
    keep=st.integers(1, 5),
)
def test_nothing_that_is_needed_goes_and_all_else_does(
    ages: list[int], named: set[int], keep: int
) -> None:
    versions = [_dated(index, timedelta(hours=age)) for index, age in enumerate(ages)]
    plan = choose(versions, {f"v{number}": "named" for number in named}, keep, NOW)
    gone = {each.manifest.version for each in plan.removed}
    for index, age in enumerate(ages):
        needed = index in named or index >= len(ages) - keep or timedelta(hours=age) < YOUNG
        assert (f"v{index}" in gone) is not needed
    assert len(plan.removed) + len(plan.kept) == len(ages)
