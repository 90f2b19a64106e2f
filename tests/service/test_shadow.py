"""A shadow computes along within its budget, is compared, and never delays an answer."""

import threading
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pointsman.registry import Registry
from pointsman_service.serving.servable import Servable
from pointsman_service.serving.shadow_comparison import Comparison, compare
from pointsman_service.serving.shadow_mirror import MOST_WAITING, MOST_WAITING_BYTES, Mirror
from tests.service.fake_model import SAMPLE, Compute, FakeModel, doubled, fails_always, fast
from tests.service.patience import until
from tests.service.shelf import Shelf

pytestmark = pytest.mark.anyio

FEED = {"x": np.ones((2, 4), np.float32)}
ANSWERED = {"y": np.full((2, 4), 2.5, np.float32)}


def servable(shelf: Shelf, compute: Compute = doubled) -> Servable:
    found = Registry(shelf.store).resolve("m", shelf.affine("v2", 2.0))
    return Servable(found, FakeModel(compute), SAMPLE, fast())


@pytest.fixture
async def mirror() -> AsyncIterator[Mirror]:
    """A mirror without a shadow."""
    mirror = Mirror()
    yield mirror
    await mirror.close()


async def test_what_was_answered_is_computed_again_and_compared(
    mirror: Mirror, shelf: Shelf
) -> None:
    shadow = servable(shelf)
    mirror.aim(shadow, 100)
    mirror.offer(FEED, ANSWERED)
    await until(lambda: shadow.looks.looked == 1)
    assert (shadow.statistics.requests, mirror.comparison.requests) == (1, 1)
    assert mirror.comparison.max_difference == pytest.approx(0.5)
    assert mirror.comparison.top1_agreement == 1.0


@pytest.mark.parametrize(("percent", "expected"), [(100, 200), (25, 50), (1, 2)])
async def test_exactly_its_share_of_the_requests_is_shown(
    mirror: Mirror, shelf: Shelf, percent: int, expected: int
) -> None:
    mirror.aim(servable(shelf), percent)
    for number in range(200):
        mirror.offer(FEED, ANSWERED)
        shown = (number + 1) * percent // 100
        await until(lambda shown=shown: mirror.comparison.requests == shown)  # type: ignore[misc]
    assert (mirror.comparison.requests, mirror.comparison.dropped) == (expected, 0)


async def test_what_comes_while_it_is_busy_is_dropped(mirror: Mirror, shelf: Shelf) -> None:
    free, threads = threading.Event(), set[int]()

    def waits(feed: Any) -> Any:
        threads.add(threading.get_ident())
        assert free.wait(150)
        return doubled(feed)

    mirror.aim(shadow := servable(shelf, waits), 100)
    for _ in range(50):
        mirror.offer(FEED, ANSWERED)
    assert mirror.comparison.dropped == 50 - MOST_WAITING
    await until(lambda: shadow.in_flight == 1)
    free.set()
    await until(lambda: mirror.comparison.requests == MOST_WAITING)
    assert threading.get_ident() not in threads
    assert len(threads) == 1


async def test_what_would_take_too_much_memory_is_dropped(mirror: Mirror, shelf: Shelf) -> None:
    mirror.aim(servable(shelf), 100)
    mirror.offer({"x": np.ones(MOST_WAITING_BYTES + 1, np.int8)}, ANSWERED)
    assert mirror.comparison.dropped == 1


async def test_a_shadow_that_fails_is_counted_as_failing_and_harms_nobody(
    mirror: Mirror, shelf: Shelf
) -> None:
    mirror.aim(shadow := servable(shelf, fails_always), 100)
    for count in (1, 2):
        mirror.offer(FEED, ANSWERED)
        await until(lambda count=count: shadow.statistics.errors == count)  # type: ignore[misc]
    assert mirror.comparison.requests == 0


async def test_another_shadow_begins_anew_and_another_share_does_not(
    mirror: Mirror, shelf: Shelf
) -> None:
    mirror.aim(shadow := servable(shelf), 100)
    mirror.offer(FEED, ANSWERED)
    await until(lambda: mirror.comparison.requests == 1)
    mirror.aim(shadow, 50)
    assert mirror.comparison.requests == 1
    mirror.aim(None, 0)
    mirror.offer(FEED, ANSWERED)
    assert mirror.comparison.requests == 0


Arrays = dict[str, NDArray[Any]]


def f32(values: Any) -> NDArray[Any]:
    return np.array(values, np.float32)


def i64(values: Any) -> NDArray[Any]:
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("answered", "shadow", "largest", "rows", "agreeing"),
    [
        ({"y": f32([[1, 2]])}, {"y": f32([[1, 2]])}, 0.0, 1, 1),
        ({"y": f32([[1, 2], [3, 0]])}, {"y": f32([[2, 1], [3, 0]])}, 1.0, 2, 1),
        ({"y": f32([1, 2])}, {"y": f32([1, 5])}, 3.0, 0, 0),
        ({"y": f32([[1]])}, {"y": f32([[9]])}, 8.0, 0, 0),
        ({"y": i64([[1, 2]])}, {"y": i64([[7, 8]])}, None, 0, 0),
        ({"y": f32([[1, 2]])}, {"y": f32([[1, 2, 3]])}, None, 1, 0),
        ({"y": f32([[1, 2]])}, {"z": f32([[1, 2]])}, None, 1, 0),
        ({"y": f32([[1, 2]])}, {"y": f32([[np.nan, 2]])}, 0.0, 1, 0),
        ({"y": f32([[np.nan]])}, {"y": f32([[1]])}, None, 0, 0),
    ],
)
def test_outputs_are_compared_by_value_and_by_their_best_class(
    answered: Arrays, shadow: Arrays, largest: float | None, rows: int, agreeing: int
) -> None:
    difference = compare(answered, shadow)
    assert (difference.largest, difference.rows, difference.agreeing) == (largest, rows, agreeing)


def test_a_comparison_adds_up() -> None:
    comparison = Comparison()
    found = [(comparison.max_difference, comparison.top1_agreement)]
    for answered, shadow in (([[1, 2]], [[1, 2]]), ([[1, 2]], [[4, 2]])):
        comparison.add(compare({"y": f32(answered)}, {"y": f32(shadow)}))
        found.append((comparison.max_difference, comparison.top1_agreement))
    assert found == [(None, None), (0.0, 1.0), (3.0, 0.5)]
