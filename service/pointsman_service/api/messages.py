"""Requests and responses as the front sees them: just enough HTTP for a handful of routes."""

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import orjson

from pointsman_service.api import compression
from pointsman_service.errors import (
    BodyTooLarge,
    CallerLeft,
    EncodingUnsupported,
    Forbidden,
    InputInvalid,
    KeyRefused,
    ModelFailed,
    NotServing,
    Overloaded,
    RequestFailed,
    TimedOut,
    Unfitting,
    UnknownVersion,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON = b"application/json"
# New ids are a process's own prefix and a number: drawing each at random would cost more.
_PROCESS = secrets.token_hex(4).encode()
_REQUESTS = count()
_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")

# The one place where a failure becomes a status, and what its answer says beside the message.
_STATUS: dict[type[RequestFailed], tuple[int, tuple[Header, ...]]] = {
    InputInvalid: (400, ()),
    BodyTooLarge: (413, ()),
    EncodingUnsupported: (415, ((b"accept-encoding", b"gzip, deflate"),)),
    UnknownVersion: (404, ()),
    KeyRefused: (401, ((b"www-authenticate", b"Bearer"),)),
    Forbidden: (403, ()),
    Unfitting: (409, ()),
    NotServing: (503, ((b"retry-after", b"1"),)),
    Overloaded: (429, ((b"retry-after", b"1"),)),
    TimedOut: (504, ()),
    CallerLeft: (499, ()),  # as nginx logs it: nobody is there to read it
    ModelFailed: (500, ()),
}


log = logging.getLogger(__name__)


class Response(msgspec.Struct):
    """A whole answer."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: list[Header] = msgspec.field(default_factory=list)


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
        """The request's id; a new one at every call unless the caller gave one."""
        given = self.headers.get(b"x-request-id")
        return identify(given)

    @property
    def method(self) -> str:
        """The method."""
        return str(self._scope["method"])

    @property
    def path(self) -> str:
        """The decoded path."""
        return str(self._scope["path"])

    @property
    def raw_path(self) -> str:
        """The path as it came: what would break a line is still percent-encoded in it."""
        raw: bytes = self._scope["raw_path"]
        return raw.decode("latin-1")

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

    async def left(self) -> bool:
        """Tell whether the client has gone, once anything is heard of it; for after `body`."""
        return bool((await self._receive())["type"] == "http.disconnect")

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


def identify(given: bytes | None) -> bytes:
    """Return the caller's `X-Request-Id` if it is a decent one, else a new one."""
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    return b"%b%08x" % (_PROCESS, next(_REQUESTS) & 0xFFFFFFFF)


def refusal(error: BaseException, identifier: bytes) -> Response:
    """Turn whatever ended a request into its answer; what is not the caller's doing is logged."""
    if not isinstance(error, RequestFailed):
        log.error("request %s broke the service", identifier.decode(), exc_info=error)
        return error_response(500, "an error on the server; its log says more")
    if isinstance(error, ModelFailed):
        log.error("request %s got no answer", identifier.decode(), exc_info=error)
    return failure(error)


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
