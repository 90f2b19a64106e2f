"""A codec: how the body of a request becomes tensors, and how outputs become its answer.

`/predict` and the Open Inference Protocol are one codec each. All else about a prediction (which
version answers, waiting, batching, deadlines, counting) is the same for both and not theirs.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pointsman_service.api.messages import Header, Response
from pointsman_service.serving.job import Job
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays

TIMEOUT = b"x-request-timeout"
"""A header: after how many seconds the caller has no use for an answer any more."""
_DAY = 24 * 60 * 60


Body = bytes | memoryview
"""As it is without its content-encoding; nobody changes it."""


class Codec(Protocol):
    """Reads and writes; may be called in any thread, and keeps nothing between calls."""

    def effort(self, headers: Mapping[bytes, bytes], body: Body) -> int:
        """Return how much there is to read, as bytes of JSON that would take as long."""
        ...

    def lead(self, headers: Mapping[bytes, bytes]) -> int:
        """Return how many bytes of a body come before tensors in binary; 0 if there are none."""
        ...

    def read(self, call: "Call", servable: Servable) -> Arrays:
        """Return the inputs; raises `RequestFailed` for what does not fit the signature."""
        ...

    def write(self, call: "Call", servable: Servable, outputs: Arrays) -> Response:
        """Return the answer; raises `RequestFailed` for outputs that it cannot express."""
        ...


class Call(Job):
    """One request for a prediction, with its whole body; `finish` is left to who received it."""

    response: Response
    wanted: Any = None
    """What `read` leaves for `write`: the outputs that were asked for, say."""

    def __init__(
        self,
        codec: Codec,
        headers: Mapping[bytes, bytes],
        body: Body,
        version: str | None = None,
        key: bytes | None = None,
    ) -> None:
        super().__init__(codec.effort(headers, body), version, key)
        self.codec = codec
        self.headers = headers
        """By lower-case name."""
        self.body = body
        if TIMEOUT in headers and (seconds := _seconds(headers[TIMEOUT])):
            self.deadline = self.arrived + seconds

    def read(self) -> Arrays:
        """Read the body by the codec."""
        return self.codec.read(self, self.servable)

    def write(self) -> None:
        """Write the response by the codec."""
        self.response = self.codec.write(self, self.servable, self.outputs)

    @property
    def judged_by(self) -> Sequence[Header]:
        """The headers that name the version which answers or refuses; none if there was none."""
        return self.servable.headers if self.claimed else ()


def _seconds(text: bytes) -> float | None:
    """Return what a timeout says; who says nonsense waits for as long as everybody does."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 < seconds < _DAY else None
