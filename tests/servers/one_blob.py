"""A server that holds one blob and hands it out in ranges, honestly or with a manner of its own.

It stands for what no real S3 can be made to do at will, and checks no signature.
"""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler

import trustme

from tests.servers.threaded import serving

_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]+)")


class Manner(StrEnum):
    """How signed URLs are answered; the client library, which uses none, is told the truth."""

    HONEST = "honest"
    WHOLE = "the whole object"
    ELSEWHERE = "another range"
    REDIRECT = "a redirect"
    DENIED = "denied"
    HANGS_UP = "half of it"
    CLOSES = "connection: close"
    CHUNKED = "chunked"
    EXPIRES = "expired, to whoever asks"


@dataclass(slots=True)
class OneBlob:
    """The blob, how it is given, where, and which requests came."""

    data: bytes
    manner: Manner = Manner.HONEST
    url: str = ""
    requests: list[bool] = field(default_factory=list)
    """Whether each was signed; a list, because threads lose no entry that they append."""
    connections: set[tuple[str, int]] = field(default_factory=set)

    @property
    def signed(self) -> int:
        """How many signed requests came."""
        return self.requests.count(True)

    @property
    def unsigned(self) -> int:
        """How many others came."""
        return self.requests.count(False)


@contextmanager
def holding(blob: OneBlob, authority: trustme.CA | None = None) -> Iterator[OneBlob]:
    """Serve `blob` on a free port; with an authority, encrypted and certified by it."""
    context = None
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(_Handler, context, blob=blob) as blob.url:
        yield blob


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    blob: OneBlob

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_HEAD(self) -> None:
        self._answer(200, self.blob.data, body=b"")

    def do_GET(self) -> None:
        found = _RANGE.fullmatch(self.headers.get("Range", ""))
        first, last = (int(found[1]), int(found[2])) if found else (0, len(self.blob.data) - 1)
        manner = self.blob.manner
        signed = "X-Amz-Signature" in self.path
        self.blob.requests.append(signed)
        if signed:
            self.blob.connections.add(self.client_address)
        else:
            manner = manner if manner is Manner.EXPIRES else Manner.HONEST
        self._give(manner, first, last)

    def _give(self, manner: Manner, first: int, last: int) -> None:  # noqa: C901 — one case each
        part = self.blob.data[first : last + 1]
        match manner:
            case Manner.HONEST:
                self._answer(206, part, self._range(first, last))
            case Manner.WHOLE:
                self._answer(200, self.blob.data)
            case Manner.ELSEWHERE:
                self._answer(206, part, self._range(first + 1, last + 1))
            case Manner.REDIRECT:
                self._answer(307, b"", {"Location": f"{self.blob.url}/elsewhere"})
            case Manner.DENIED:
                self._answer(403, b"<Error><Code>AccessDenied</Code></Error>")
            case Manner.EXPIRES:
                self._answer(400, b"<Error><Code>ExpiredToken</Code></Error>")
            case Manner.HANGS_UP:
                self._answer(206, part, self._range(first, last), body=part[: len(part) // 2])
                self.close_connection = True
            case Manner.CLOSES:
                self._answer(206, part, self._range(first, last) | {"Connection": "close"})
            case Manner.CHUNKED:
                self._chunked(part, first, last)

    def _range(self, first: int, last: int) -> dict[str, str]:
        return {"Content-Range": f"bytes {first}-{last}/{len(self.blob.data)}"}

    def _answer(
        self,
        status: int,
        data: bytes,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> None:
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("ETag", '"one"')
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data if body is None else body)

    def _chunked(self, part: bytes, first: int, last: int) -> None:
        self.send_response_only(206)
        for name, value in self._range(first, last).items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(part), part))
