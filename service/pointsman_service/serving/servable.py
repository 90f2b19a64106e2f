"""A servable: one version in memory, from loaded to gone, and the handles that keep it there.

    ready → draining → unloaded

(`loading` and `failed` are the manager's to report: there is no servable yet, or never was.)
A request holds a handle while it uses a servable; unloading waits for the last one. Choosing a
servable and claiming it happen without an `await` between them, so no drain can slip in.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from numpy.typing import NDArray

from pointsman.manifest import Version
from pointsman.session import RunFailed
from pointsman_service.errors import InputInvalid, ModelFailed, NotServing
from pointsman_service.statistics import Statistics
from pointsman_service.tensors import Arrays, rows

INLINE_SECONDS = 0.001
"""What takes less runs on the event loop: a thread's hop would cost more than it."""


class State(StrEnum):
    """Where a version stands in this process."""

    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"
    UNLOADED = "unloaded"
    FAILED = "failed"


_TRANSITIONS = {
    State.READY: {State.DRAINING},
    State.DRAINING: {State.UNLOADED},
    State.UNLOADED: set[State](),
}


class Model(Protocol):
    """What a servable needs of a `pointsman.session.Session`."""

    def run(self, feed: Mapping[str, NDArray[Any]]) -> Arrays:
        """Compute all outputs; raises `RunFailed`."""
        ...


@dataclass(slots=True)  # frozen ones take a microsecond to make
class Computed:
    """Outputs, for how many rows, and when the request arrived, was begun and was computed."""

    outputs: Arrays
    rows: int
    arrived: float
    started: float
    ended: float


class Servable:
    """A version that can answer; used from the event loop only."""

    def __init__(
        self, version: Version, model: Model, sample: Mapping[str, NDArray[Any]], latency: float
    ) -> None:
        """Take over a loaded model, whose run on `sample` took `latency` seconds."""
        self.version = version
        self.statistics = Statistics()
        self.state = State.READY
        self.since = datetime.now(UTC)
        self.headers = (
            (b"x-model-version", version.manifest.version.encode()),
            (b"x-model-digest", version.digest.encode()),
        )
        # More rows than these, if each took as long as the sample's, are too many for the loop.
        self._inline_rows = int(max(rows(sample), 1) * INLINE_SECONDS / latency)
        self._model: Model | None = model
        self._sample = sample
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def name(self) -> str:
        """The version's name."""
        return self.version.manifest.version

    @property
    def in_flight(self) -> int:
        """How many handles are out."""
        return self._in_flight

    def claim(self) -> "Handle":
        """Count a request as in flight until the handle's `with` ends.

        Raises `NotServing` unless ready.
        """
        if self.state is not State.READY:
            raise NotServing(f"{self.name} is {self.state}")
        self._in_flight += 1
        self._idle.clear()
        return Handle(self)

    def release(self, failure: BaseException | None = None) -> None:
        """Take a handle back, and count its request if that ended without an answer."""
        if isinstance(failure, InputInvalid):
            self.statistics.rejected += 1
        elif failure is not None:
            self.statistics.errors += 1
        self._in_flight -= 1
        if not self._in_flight:
            self._idle.set()

    async def infer(
        self, feed: Mapping[str, NDArray[Any]], executor: Executor, arrived: float
    ) -> Computed:
        """Compute the outputs for `feed`; `arrived` is when the request did, by perf_counter.

        Raises `InputInvalid` for an input that the model cannot compute, `ModelFailed` when the
        model is broken. The caller holds a handle.
        """
        count = rows(feed)
        if max(count, 1) <= self._inline_rows:
            started, outputs = _timed(self._run, feed)
        else:
            started, outputs = await asyncio.get_running_loop().run_in_executor(
                executor, _timed, self._run, feed
            )
        return Computed(outputs, count, arrived, started, time.perf_counter())

    def answered(self, computed: Computed) -> None:
        """Count a request whose answer is ready to be sent."""
        self.statistics.answered(
            computed.rows,
            computed.started - computed.arrived,
            computed.ended - computed.started,
            time.perf_counter() - computed.arrived,
        )

    async def drain(self) -> None:
        """Refuse new claims, and return when the last handle is back."""
        self._become(State.DRAINING)
        await self._idle.wait()

    def unload(self) -> None:
        """Drop the model of a drained servable."""
        if self._in_flight:
            raise RuntimeError(f"{self.name} is in use")
        self._become(State.UNLOADED)
        self._model = None
        self._sample = {}

    def _become(self, state: State) -> None:
        if state not in _TRANSITIONS[self.state]:
            raise RuntimeError(f"{self.name} cannot go from {self.state} to {state}")
        self.state = state
        self.since = datetime.now(UTC)

    def _run(self, feed: Mapping[str, NDArray[Any]]) -> Arrays:
        """Compute; a failure is the input's fault if the model still manages its own sample."""
        model = self._model
        if model is None:
            raise NotServing(f"{self.name} is unloaded")
        try:
            return model.run(feed)
        except RunFailed as failure:
            try:
                model.run(self._sample)
            except RunFailed as error:
                raise ModelFailed(f"{self.name} fails even on its own sample: {error}") from error
            raise InputInvalid(f"the model cannot compute this input: {failure}") from failure


class Handle:
    """One request's hold on a servable, let go at the end of a `with`."""

    __slots__ = ("_servable",)

    def __init__(self, servable: Servable) -> None:
        self._servable = servable

    def __enter__(self) -> Servable:
        """Return the servable, which stays loaded until the block ends."""
        return self._servable

    def __exit__(self, _kind: object, failure: BaseException | None, _trace: object) -> None:
        """Let go; how the block ended decides what the request is counted as."""
        self._servable.release(failure)


def _timed(
    run: Callable[[Mapping[str, NDArray[Any]]], Arrays], feed: Mapping[str, NDArray[Any]]
) -> tuple[float, Arrays]:
    started = time.perf_counter()
    return started, run(feed)
