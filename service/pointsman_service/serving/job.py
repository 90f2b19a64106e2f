"""A job: one prediction on its way through the service, from its bytes to its outcome.

What differs between protocols is how a job is read and written; `api.codec` says that.
"""

import time
from abc import ABC, abstractmethod
from asyncio import TimerHandle
from collections.abc import Hashable

from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays

DEFAULT_PRIORITY = 10
ALONE = None
"""The shape of a job that is computed by itself."""


class Job(ABC):
    """One prediction. All times are by `time.perf_counter`."""

    claimed = False
    """Whether there is a `servable`, the version that computes it."""
    ended = False
    """Whether there is an outcome; there is only one, an answer or a failure."""
    deadline: float | None = None
    """When an answer is of no use any more."""
    priority = DEFAULT_PRIORITY
    """Lower numbers are computed first."""
    shape: Hashable = ALONE
    """What a row of each input looks like: only equal ones are computed together."""
    timer: TimerHandle | None = None
    caller = 0
    """Who asks, as a number of their own; 0 if that is not known."""

    servable: Servable
    feed: Arrays
    rows: int
    outputs: Arrays
    started: float
    """When the run that computed it began."""
    computed: float
    """When that run was over."""

    def __init__(self, size: int, version: str | None = None, key: bytes | None = None) -> None:
        """Take on a request that has arrived as a whole, with `size` bytes to read."""
        self.arrived = time.perf_counter()
        self.size = size
        self.version = version
        """The version that the caller asks for, if it asks for one."""
        self.key = key
        """What keeps a caller with one version while two share the traffic."""

    @abstractmethod
    def read(self) -> Arrays:
        """Return the inputs; may be called in any thread, and may set deadline and priority.

        Raises `RequestFailed` for what does not fit the servable's signature.
        """

    @abstractmethod
    def write(self) -> None:
        """Make the answer of the outputs; may be called in any thread; raises `RequestFailed`."""

    @abstractmethod
    def finish(self, failure: BaseException | None) -> None:
        """Hand over the answer, or tell of the failure; called once, on the event loop."""
