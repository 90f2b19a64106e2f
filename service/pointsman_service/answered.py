"""What is told of every answered request: to the access log, and to traces.

Nobody listens by default, and then nothing is told.
"""

from collections.abc import Callable, Mapping

import msgspec


class Answered(msgspec.Struct):
    """One request and its answer."""

    method: str
    path: str
    """As it came, not decoded."""
    status: int
    identifier: str
    version: str
    """The model's version that answered or refused; "" if there was none."""
    seconds: float
    """From the request's arrival as a whole (or its head, off the short way) to its answer."""
    headers: Mapping[bytes, bytes]
    """The request's, by lower-case name."""


Listener = Callable[[Answered], None]
