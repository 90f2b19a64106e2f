"""Requests and responses as the front sees them: just enough HTTP for a handful of routes."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from pointsman_service.api import compression
from pointsman_service.errors import (
    BodyTooLarge,
    EncodingUnsupported,
    InputInvalid,
    ModelFailed,
    NotServing,
    RequestFailed,
    UnknownVersion,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON = b"application/json"
_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")

# The one place where a failure becomes a status, and what its answer says beside the message.
_STATUS: dict[type[RequestFailed], tuple[int, tuple[Header, ...]]] = {
    InputInvalid: (400, ()),
    BodyTooLarge: (413, ()),
    EncodingUnsupported: (415, ((b"accept-encoding", b"gzip, deflate"),)),
    UnknownVersion: (404, ()),
    NotServing: (503, ((b"retry-after", b"1"),)),
    ModelFailed: (500, ()),
}


@dataclass(slots=True)
class Response:
    """A whole answer."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: list[Header] = field(default_factory=list)


class Request:
    """A request whose body has not been read yet."""

    __slots__ = ("_receive", "_scope", "headers", "judged_by")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        """By lower-case name; the last of each."""
        self.judged_by: Sequence[Header] = ()
        """The headers that name the version which answered or refused this request."""

    @property
    def identifier(self) -> bytes:
        """The caller's `X-Request-Id` if it is a decent one, else a new one at every call."""
        given = self.headers.get(b"x-request-id", b"")
        return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8).encode()

    @property
    def query(self) -> dict[str, str]:
        """The parameters after the question mark; the last of each name."""
        return dict(
            parse_qsl(self._scope["query_string"].decode("latin-1"), keep_blank_values=True)
        )

    async def body(self, limit: int) -> bytes:
        """Read the whole body, and undo its compression.

        Raises `BodyTooLarge` as soon as it must exceed `limit` bytes, packed or unpacked.
        """
        coding = compression.coding_of(self.headers.get(b"content-encoding", b""))
        body = await self._whole(limit)
        if coding is None:
            return body
        # In a thread: a small body may unpack to a large one.
        return await asyncio.to_thread(compression.undo, body, coding, limit)

    async def _whole(self, limit: int) -> bytes:
        announced = self.headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > limit:
            raise BodyTooLarge(f"a request may have {limit} bytes, and this one has more")
        parts = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise InputInvalid("the client left before its request was complete")
            part = message.get("body", b"")
            size += len(part)
            if size > limit:
                raise BodyTooLarge(f"a request may have {limit} bytes, and this one has more")
            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)


def failure(error: RequestFailed) -> Response:
    """Turn a failure into its answer."""
    status, headers = _STATUS[type(error)]
    return Response(status, orjson.dumps({"error": str(error)}), headers=[*headers])


def error_response(status: int, message: str) -> Response:
    """Return an answer of the form every error has."""
    return Response(status, orjson.dumps({"error": message}))


async def respond(response: Response, send: Send, extra: Sequence[Header]) -> None:
    """Send a whole answer."""
    headers = [
        (b"content-type", response.content_type),
        (b"content-length", b"%d" % len(response.body)),
        *response.headers,
        *extra,
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
