"""A version gets into memory as there is room: beside the old one, after it, or not at all."""

from pathlib import Path

import pytest

from pointsman.channel import Pointer
from pointsman.manifest import Measured
from pointsman.memory_policy import BASELINE_BYTES, MARGIN_BYTES
from pointsman_service.runtime.headroom import Headroom
from pointsman_service.serving.roles import Role
from pointsman_service.serving.room import Room
from pointsman_service.serving.servable import State
from tests import models
from tests.service.in_process import Surroundings, serving
from tests.service.managed import Managed, at_work
from tests.service.patience import until
from tests.service.test_manager_beside import canary

pytestmark = pytest.mark.anyio

MB = 1_000_000
BALLAST = 2 * MB


class Small(Managed):
    """A manager on a machine whose memory is what is free, and what versions give back."""

    def __init__(self, directory: Path, free: int) -> None:
        super().__init__(directory)
        self.free = free
        self.measured = 0
        self.manager._room = Room(self.measure)

    def measure(self) -> Headroom:
        """Tell what is left, as a cgroup would."""
        self.measured += 1
        held = sum(state != "unloaded" for state in self.states.values()) * BALLAST
        return Headroom(1 << 40, MARGIN_BYTES + self.free - held)

    def version(
        self, version: str, factor: float, need: int, golden: float | None = None
    ) -> Pointer:
        """Put a version of two megabytes that needs `need` bytes while it is loaded."""
        directory, examples = self.shelf.directory / version, None
        model = models.heavy(directory / "model.onnx", BALLAST, factor)
        if golden is not None:
            examples = models.affine_golden(directory / "golden.npz", golden)
        measured = Measured(
            runtime="", load_seconds=0, latency_seconds=0, peak_rss_bytes=BASELINE_BYTES + need
        )
        return self.shelf.put(version, model, examples, measured=measured)

    async def serve(self, *pointers: Pointer) -> None:
        """Serve these, one after the other."""
        for count in range(1, len(pointers) + 1):
            self.manager.aspire(self.shelf.aspired(*pointers[:count]))
            await self.until_observed(count)


async def test_where_there_is_room_both_stay(tmp_path: Path) -> None:
    async with at_work(Small(tmp_path, free=20 * MB)) as small:
        await small.serve(small.version("v1", 1.0, 3 * MB), small.version("v2", 2.0, 3 * MB))
        assert small.states == {"v1": "ready", "v2": "ready"}
        await until(lambda: small.manager.rollback_readiness == "resident")


async def test_what_is_only_kept_to_go_back_to_leaves_first(tmp_path: Path) -> None:
    async with at_work(Small(tmp_path, free=8 * MB)) as small:
        versions = [small.version(f"v{number}", number, 5 * MB) for number in (1, 2, 3)]
        await small.serve(*versions[:2])
        with small.store.holding("get_range") as hold:
            small.manager.aspire(small.shelf.aspired(*versions))
            await until(hold.reached.is_set)
            assert small.serving == "v2"
        await small.until_observed(3)
        assert small.states == {"v2": "ready", "v3": "ready", "v1": "unloaded"}


async def test_what_serves_leaves_only_when_the_new_version_is_on_disk(tmp_path: Path) -> None:
    async with at_work(Small(tmp_path, free=6 * MB)) as small:
        v1, v2 = small.version("v1", 1.0, 3 * MB), small.version("v2", 2.0, 6 * MB)
        await small.serve(v1)
        with small.store.holding("get_range") as hold:
            small.manager.aspire(small.shelf.aspired(v1, v2))
            await until(hold.reached.is_set)
            assert small.serving == "v1", "it answers for as long as bytes are on their way"
        with small.router.claim():
            await until(lambda: small.states["v1"] == "draining")
            assert small.router.stable is None, "new requests are not sent to what is leaving"
            assert small.manager.observed_generation == 1
        await small.until_observed(2)
        assert small.states == {"v2": "ready", "v1": "unloaded"}
        assert small.serving == "v2"
        assert small.manager.counters.switches == 1
        await until(lambda: small.manager.rollback_readiness == "on disk")


async def test_what_does_not_fit_is_refused_with_the_numbers_before_it_is_fetched(
    tmp_path: Path,
) -> None:
    async with at_work(Small(tmp_path, free=6 * MB)) as small:
        v1, v2 = small.version("v1", 1.0, 3 * MB), small.version("v2", 2.0, 60 * MB)
        await small.serve(v1)
        small.store.calls.clear()
        small.manager.aspire(small.shelf.aspired(v1, v2))
        await small.until_observed(2)
        refusal = small.manager.refusal
        assert refusal is not None
        assert refusal.reason == (
            "there is not enough memory: v2 needs 60 MB, 21 MB are free, "
            "and unloading v1 frees 2 MB: 54 MB are missing"
        )
        assert small.serving == "v1"
        assert "get_range" not in small.store.calls


async def test_what_was_refused_for_lack_of_memory_gets_in_when_there_is_some(
    tmp_path: Path,
) -> None:
    async with at_work(Small(tmp_path, free=6 * MB)) as small:
        v1, v2 = small.version("v1", 1.0, 3 * MB), small.version("v2", 2.0, 60 * MB)
        await small.serve(v1)
        small.manager.aspire(small.shelf.aspired(v1, v2))
        await until(lambda: small.manager.refusal)
        small.free = 100 * MB
        await until(lambda: small.serving == "v2")


async def test_the_old_version_comes_back_when_the_new_one_fails_after_it_left(
    tmp_path: Path,
) -> None:
    async with at_work(Small(tmp_path, free=6 * MB)) as small:
        v1 = small.version("v1", 1.0, 3 * MB)
        broken = small.version("v2", 2.0, 6 * MB, golden=3.0)
        await small.serve(v1)
        await until(small.last_served.recall)
        small.manager.aspire(small.shelf.aspired(v1, broken))
        await small.until_observed(2)
        await until(lambda: small.serving == "v1")
        assert small.manager.refusal is not None
        assert "golden set" in small.manager.refusal.reason


async def test_too_little_even_alone_is_found_out_once(tmp_path: Path) -> None:
    async with at_work(Small(tmp_path, free=6 * MB)) as small:
        v1, v2 = small.version("v1", 1.0, 3 * MB), small.version("v2", 2.0, 6 * MB)
        await small.serve(v1)
        await until(small.last_served.recall)
        measure = small.measure

        def less_once_alone() -> Headroom:
            if set(small.states.values()) == {"unloaded"}:
                small.free = 5 * MB  # a neighbour was quicker
            return measure()

        small.manager._room = Room(less_once_alone)
        small.manager.aspire(small.shelf.aspired(v1, v2))
        await until(lambda: small.manager.refusal)
        await until(lambda: small.serving == "v1")
        assert small.manager.refusal is not None
        assert "not enough memory even alone" in small.manager.refusal.reason
        assert not small.manager.refusal.curable, "nobody is interrupted twice for it"


async def test_nothing_that_answers_leaves_for_a_canary(tmp_path: Path) -> None:
    async with at_work(Small(tmp_path, free=6 * MB)) as small:
        v1, v2 = small.version("v1", 1.0, 3 * MB), small.version("v2", 2.0, 6 * MB)
        await small.serve(v1)
        small.manager.aspire(small.shelf.then(small.shelf.aspired(v1), canary(v2)))
        await small.until_observed(2)
        assert small.serving == "v1"
        assert "not enough memory" in small.manager.refused_beside[Role.CANARY].reason


@pytest.mark.parametrize(
    ("policy", "states"),
    [
        ("side-by-side", {"v1": "ready", "v2": "ready"}),
        ("drain-first", {"v2": "ready", "v1": "unloaded"}),
    ],
)
async def test_a_setting_decides_whatever_is_measured(
    tmp_path: Path, policy: str, states: dict[str, str]
) -> None:
    async with at_work(Small(tmp_path, free=6 * MB)) as small:
        small.manager._room = Room(small.measure, policy)
        await small.serve(small.version("v1", 1.0, 3 * MB), small.version("v2", 2.0, 60 * MB))
        assert small.serving == "v2"
        assert small.states == states
        assert small.measured == 0


async def test_while_nothing_answers_health_and_answers_say_so(surroundings: Surroundings) -> None:
    shelf = surroundings.shelf
    shelf.activate(shelf.affine("v1", 2.0))
    async with serving(surroundings, POINTSMAN_MEMORY="drain-first") as service:
        await service.until_serving("v1")
        with service.service.router.claim() as held:
            shelf.activate(shelf.affine("v2", 3.0))
            await until(lambda: held.state is State.DRAINING)
            status, body = await service.health()
            assert (status, body["status"], body["model_loaded"]) == (503, "loading", False)
            assert body["loading"]["step"] == "making room"
            answer = await service.predict([[1, 2, 3, 4]])
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
        await service.until_serving("v2")
        assert (await service.health(version="v2"))[0] == 200
