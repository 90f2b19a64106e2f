"""One version in memory: its states, its handles, and what it counts."""

import asyncio
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pointsman.manifest import Version
from pointsman.registry import Registry
from pointsman_service.errors import InputInvalid, ModelFailed, NotServing
from pointsman_service.serving.servable import Servable, State
from pointsman_service.tensors import Arrays
from tests.service.fake_model import (
    FAST,
    SAMPLE,
    SLOW,
    Compute,
    FakeModel,
    Feed,
    doubled,
    fails_always,
    fails_on_negatives,
)
from tests.service.patience import turns
from tests.service.shelf import Shelf

pytestmark = pytest.mark.anyio


@pytest.fixture
def version(shelf: Shelf) -> Version:
    """Some version's manifest."""
    return Registry(shelf.store).resolve("m", shelf.affine("v1", 2.0))


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    """A thread to compute in."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def servable(version: Version, compute: Compute = doubled, latency: float = FAST) -> Servable:
    return Servable(version, FakeModel(compute), SAMPLE, latency)


async def test_a_claimed_servable_counts_as_in_flight_until_its_handle_is_let_go(
    version: Version,
) -> None:
    served = servable(version)
    with served.claim(), served.claim():
        assert served.in_flight == 2
    assert served.in_flight == 0


async def test_draining_waits_for_the_last_handle_and_refuses_new_claims(version: Version) -> None:
    served = servable(version)
    with served.claim():
        first, second = served.claim(), served.claim()
        draining = asyncio.create_task(served.drain())
        await turns()
        assert served.state is State.DRAINING
        with pytest.raises(NotServing, match="v1 is draining"):
            served.claim()
        for handle in (first, second):
            with handle:
                pass
            await turns()
            assert not draining.done()
    await draining
    assert served.in_flight == 0


async def test_unloading_is_refused_while_a_handle_is_out(version: Version) -> None:
    served = servable(version)
    with served.claim():
        draining = asyncio.create_task(served.drain())
        await turns()
        with pytest.raises(RuntimeError, match="v1 is in use"):
            served.unload()
    await draining
    served.unload()
    assert served.state is State.UNLOADED


async def test_states_only_go_forward(version: Version) -> None:
    served = servable(version)
    with pytest.raises(RuntimeError, match="cannot go from ready to unloaded"):
        served.unload()
    await served.drain()
    with pytest.raises(RuntimeError, match="cannot go from draining to draining"):
        await served.drain()
    served.unload()
    with pytest.raises(RuntimeError, match="cannot go from unloaded"):
        await served.drain()


async def test_since_is_when_the_state_was_entered(version: Version) -> None:
    served = servable(version)
    ready = served.since
    await served.drain()
    assert served.since >= ready


async def test_an_unloaded_model_is_forgotten(version: Version) -> None:
    model = FakeModel(doubled)
    served = Servable(version, model, SAMPLE, FAST)
    there = weakref.ref(model)
    del model
    await served.drain()
    served.unload()
    assert there() is None


async def test_a_fast_model_computes_on_the_event_loop(
    version: Version, executor: ThreadPoolExecutor
) -> None:
    model = FakeModel(doubled)
    served = Servable(version, model, SAMPLE, FAST)
    with served.claim():
        computed = await served.infer(SAMPLE, executor, time.perf_counter())
    assert computed.outputs["y"].tolist() == [[2, 2, 2, 2]]
    assert model.threads == [threading.get_ident()]


async def test_a_slow_model_leaves_the_event_loop_free(
    version: Version, executor: ThreadPoolExecutor
) -> None:
    let_go = threading.Event()

    def waits(feed: Feed) -> Arrays:
        assert let_go.wait(20)
        return doubled(feed)

    served = servable(version, waits, SLOW)
    with served.claim():
        asking = asyncio.create_task(served.infer(SAMPLE, executor, time.perf_counter()))
        await turns()
        assert not asking.done()
        let_go.set()
        assert (await asking).rows == 1


async def test_many_rows_for_a_fast_model_leave_the_event_loop_free_too(
    version: Version, executor: ThreadPoolExecutor
) -> None:
    model = FakeModel(doubled)
    served = Servable(version, model, SAMPLE, FAST)
    with served.claim():
        await served.infer({"x": np.ones((1000, 4), np.float32)}, executor, time.perf_counter())
    assert threading.get_ident() not in model.threads


async def test_a_fast_model_that_was_measured_on_many_rows_takes_as_many_on_the_loop(
    version: Version, executor: ThreadPoolExecutor
) -> None:
    model = FakeModel(doubled)
    rows = {"x": np.ones((1000, 4), np.float32)}
    served = Servable(version, model, rows, FAST)
    with served.claim():
        await served.infer(rows, executor, time.perf_counter())
    assert model.threads == [threading.get_ident()]


async def test_an_input_that_the_model_cannot_compute_is_the_callers_mistake(
    version: Version, executor: ThreadPoolExecutor
) -> None:
    served = servable(version, fails_on_negatives)
    with pytest.raises(InputInvalid, match="no negatives"), served.claim():
        await served.infer({"x": -SAMPLE["x"]}, executor, time.perf_counter())
    assert (served.statistics.rejected, served.statistics.errors) == (1, 0)


async def test_a_model_that_fails_on_its_own_sample_is_broken(
    version: Version, executor: ThreadPoolExecutor
) -> None:
    served = servable(version, fails_always)
    with pytest.raises(ModelFailed, match="the weights are gone"), served.claim():
        await served.infer(SAMPLE, executor, time.perf_counter())
    assert (served.statistics.rejected, served.statistics.errors) == (0, 1)
    assert served.in_flight == 0


async def test_a_request_counts_once_its_answer_is_ready(
    version: Version, executor: ThreadPoolExecutor
) -> None:
    served = servable(version)
    with served.claim():
        computed = await served.infer(
            {"x": np.ones((3, 4), np.float32)}, executor, time.perf_counter()
        )
        assert served.statistics.requests == 0
        served.answered(computed)
    assert (served.statistics.requests, served.statistics.rows) == (1, 3)
    assert served.statistics.quantiles() is not None


async def test_a_request_that_is_cancelled_counts_as_failed_and_gives_its_handle_back(
    version: Version, executor: ThreadPoolExecutor
) -> None:
    let_go = threading.Event()

    def waits(feed: Feed) -> Arrays:
        assert let_go.wait(20)
        return doubled(feed)

    served = servable(version, waits, SLOW)

    async def ask() -> None:
        with served.claim():
            await served.infer(SAMPLE, executor, time.perf_counter())

    asking = asyncio.create_task(ask())
    await turns()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    let_go.set()
    assert (served.in_flight, served.statistics.errors) == (0, 1)
