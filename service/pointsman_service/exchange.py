"""An exchange: a prediction under way on a connection, from its whole request to its answer."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import httptools

from pointsman_service.answered import Answered
from pointsman_service.api.codec import Call
from pointsman_service.api.messages import Response

if TYPE_CHECKING:
    from pointsman_service.connection import Connection


_UNUSUAL = frozenset((b"expect", b"content-encoding", b"transfer-encoding", b"upgrade"))


class _Nobody:
    """In place of the event by which uvicorn wakes an application: none waits for an exchange."""

    def set(self) -> None:
        """Wake nobody."""


class Exchange(Call):
    """A prediction under way on a connection; to uvicorn, a request-response cycle."""

    message_event = _Nobody()
    connection: "Connection"
    target: bytes
    keep_alive = True
    disconnected = False
    response_complete = False

    def finish(self, failure: BaseException | None) -> None:
        """Write the answer, unless nobody is there to read it."""
        self.response_complete = True
        if not self.disconnected:
            self.connection.answer(self, failure)

    def answered(self, response: Response, identifier: bytes) -> Answered:
        """Return what is told of it to those who listen."""
        return Answered(
            "POST",
            self.target.decode("latin-1"),
            response.status,
            identifier.decode(),
            self.servable.name if self.claimed else "",
            time.perf_counter() - self.arrived,
            self.headers,
        )


def is_usual(parser: httptools.HttpRequestParser, headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether a request is nothing but a head and a body of known size, to be answered."""
    return (
        parser.get_method() == b"POST"
        and parser.get_http_version() == "1.1"
        and _UNUSUAL.isdisjoint(headers)
    )
