"""One version in memory: its states, its handles, and what it counts."""

import asyncio
import weakref

import pytest

from pointsman.manifest import Version
from pointsman_service.errors import (
    CallerLeft,
    InputInvalid,
    ModelFailed,
    NotServing,
    Overloaded,
    TimedOut,
)
from pointsman_service.serving.servable import Servable, State
from tests.service.fake_model import (
    SAMPLE,
    Compute,
    FakeModel,
    doubled,
    fails_always,
    fails_on_negatives,
    fast,
)
from tests.service.patience import turns

pytestmark = pytest.mark.anyio


def servable(version: Version, compute: Compute = doubled) -> Servable:
    return Servable(version, FakeModel(compute), SAMPLE, fast())


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
    served = Servable(version, model, SAMPLE, fast())
    there = weakref.ref(model)
    del model
    await served.drain()
    served.unload()
    assert there() is None


async def test_an_input_that_the_model_cannot_compute_is_the_callers_mistake(
    version: Version,
) -> None:
    served = servable(version, fails_on_negatives)
    with pytest.raises(InputInvalid, match="no negatives"), served.claim():
        served.run({"x": -SAMPLE["x"]})
    assert (served.statistics.rejected, served.statistics.errors) == (1, 0)


async def test_a_model_that_fails_on_its_own_sample_is_broken(version: Version) -> None:
    served = servable(version, fails_always)
    with pytest.raises(ModelFailed, match="the weights are gone"), served.claim():
        served.run(SAMPLE)
    assert (served.statistics.rejected, served.statistics.errors) == (0, 1)
    assert served.in_flight == 0


async def test_what_is_nobodys_fault_is_counted_apart(version: Version) -> None:
    served = servable(version)
    for failure in (Overloaded("full"), TimedOut("late"), CallerLeft("gone")):
        served.claim()
        served.release(failure)
    statistics = served.statistics
    assert (statistics.dropped, statistics.rejected, statistics.errors) == (3, 0, 0)


async def test_an_unloaded_servable_computes_nothing(version: Version) -> None:
    served = servable(version)
    await served.drain()
    served.unload()
    with pytest.raises(NotServing, match="unloaded"):
        served.run(SAMPLE)
