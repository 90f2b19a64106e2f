"""A codec: how the body of a request becomes tensors, and how outputs become its answer.

`/predict` and the Open Inference Protocol are one codec each. All else about a prediction (which
version answers, waiting, batching, deadlines, counting) is the same for both and not theirs.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from pointsman_service.api.messages import Response
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays


class Call:
    """One request for a prediction, with its whole body."""

    __slots__ = ("body", "deadline", "headers", "version", "wanted")

    def __init__(
        self, headers: Mapping[bytes, bytes], body: bytes, version: str | None = None
    ) -> None:
        self.headers = headers
        """By lower-case name."""
        self.body = body
        """As it is without its content-encoding."""
        self.version = version
        """The version that the path asks for, if it asks for one."""
        self.deadline: float | None = None
        """When the answer is of no use any more, by `time.perf_counter`; `read` may set it."""
        self.wanted: Any = None
        """What `read` leaves for `write`: the outputs that were asked for, say."""


class Codec(Protocol):
    """Reads and writes; may be called in any thread, and keeps nothing between calls."""

    def read(self, call: Call, servable: Servable) -> Arrays:
        """Return the inputs; raises `RequestFailed` for what does not fit the signature."""
        ...

    def write(self, call: Call, servable: Servable, outputs: Arrays) -> Response:
        """Return the answer; raises `RequestFailed` for outputs that it cannot express."""
        ...
