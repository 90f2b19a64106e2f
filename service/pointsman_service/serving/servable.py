"""A servable: one version in memory, from loaded to gone, and the handles that keep it there.

    ready → draining → unloaded

(`loading` and `failed` are the manager's to report: there is no servable yet, or never was.)
A request holds a handle while it uses a servable, and a run holds the model while it computes,
whether or not those who wanted it still wait: unloading waits for the last of both. Choosing a
servable and claiming it happen without an `await` between them, so no drain can slip in.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from pointsman.manifest import Version
from pointsman.session import RunFailed
from pointsman_service.errors import CallerMistake, InputInvalid, ModelFailed, NotNow, NotServing
from pointsman_service.serving.looks import Looks
from pointsman_service.serving.pace import Pace
from pointsman_service.statistics import Statistics
from pointsman_service.tensors import Arrays

Prepared = TypeVar("Prepared")


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


class Servable:
    """A version that can answer; used from the event loop only."""

    def __init__(
        self, version: Version, model: Model, sample: Mapping[str, NDArray[Any]], pace: Pace
    ) -> None:
        """Take over a loaded model that computes `sample`, at a measured pace."""
        self.version = version
        self.statistics = Statistics()
        self.looks = Looks()
        self.state = State.READY
        self.since = datetime.now(UTC)
        self.headers = (
            (b"x-model-version", version.manifest.version.encode()),
            (b"x-model-digest", version.digest.encode()),
        )
        self.pace = pace
        self.prepared: dict[Any, Any] = {}
        """What codecs have prepared for all answers of this version, each by a key of its own."""
        self._model: Model | None = model
        self._sample = sample
        self._in_flight = 0
        self._runs = 0
        self._left: asyncio.Event | None = None
        """For whoever waits until nobody uses it any more."""

    @property
    def name(self) -> str:
        """The version's name."""
        return self.version.manifest.version

    @property
    def loaded(self) -> bool:
        """Whether it still holds its model."""
        return self._model is not None

    @property
    def in_flight(self) -> int:
        """How many handles are out."""
        return self._in_flight

    def once(self, make: Callable[[Version], Prepared]) -> Prepared:
        """Return what `make` makes of the version, made at the first call."""
        found: Prepared | None = self.prepared.get(make)
        if found is None:
            found = self.prepared[make] = make(self.version)
        return found

    def claim(self) -> "Handle":
        """Count a request as in flight until the handle's `with` ends.

        Raises `NotServing` unless ready.
        """
        if self.state is not State.READY:
            raise NotServing(f"{self.name} is {self.state}")
        self._in_flight += 1
        return Handle(self)

    def release(self, failure: BaseException | None = None) -> None:
        """Take a handle back, and count its request if that ended without an answer."""
        if failure is not None:
            self._count(failure)
        self._in_flight -= 1
        if self._left is not None:
            self._tell_if_idle(self._left)

    def hold(self) -> None:
        """Keep the model until `let_go`: a thread computes with it."""
        self._runs += 1

    def let_go(self) -> None:
        """End what `hold` began."""
        self._runs -= 1
        if self._left is not None:
            self._tell_if_idle(self._left)

    async def drain(self) -> None:
        """Refuse new claims, and return when the last handle is back and the last run over."""
        self._become(State.DRAINING)
        self._left = asyncio.Event()
        self._tell_if_idle(self._left)
        await self._left.wait()

    def unload(self) -> None:
        """Drop the model of a drained servable."""
        if self._in_flight or self._runs:
            raise RuntimeError(f"{self.name} is in use")
        self._become(State.UNLOADED)
        self._model = None
        self._sample = {}

    def _count(self, failure: BaseException) -> None:
        if isinstance(failure, CallerMistake):
            self.statistics.rejected += 1
        elif isinstance(failure, NotNow):
            self.statistics.dropped += 1
        else:
            self.statistics.errors += 1

    def _tell_if_idle(self, left: asyncio.Event) -> None:
        if not (self._in_flight or self._runs):
            left.set()

    def _become(self, state: State) -> None:
        if state not in _TRANSITIONS[self.state]:
            raise RuntimeError(f"{self.name} cannot go from {self.state} to {state}")
        self.state = state
        self.since = datetime.now(UTC)

    def run(self, feed: Mapping[str, NDArray[Any]]) -> Arrays:
        """Compute all outputs; may be called in any thread.

        Raises `InputInvalid` for an input that the model cannot compute, and `ModelFailed` when
        it does not even manage its own sample any more.
        """
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

    __slots__ = ("servable",)

    def __init__(self, servable: Servable) -> None:
        self.servable = servable

    def __enter__(self) -> Servable:
        """Return the servable, which stays loaded until the block ends."""
        return self.servable

    def __exit__(self, _kind: object, failure: BaseException | None, _trace: object) -> None:
        """Let go; how the block ended decides what the request is counted as."""
        self.servable.release(failure)
