"""Reading spans of blobs by signed URLs: the fastest way from a bucket into a file.

The client library hands every byte through memory of its own; here bytes go from the socket into
the file. It is the fast way and not the only one: whatever is no plain answer (errors, redirects,
breaks) is left to the library, which knows about retries and reasons.
"""

import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from pointsman.stores.base import OnBytes, Span
from pointsman.stores.pipe import Pipe, Unable, write

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse
    from ssl import SSLContext

_CONNECT_SECONDS = 3.0
_SILENCE_SECONDS = 15
_PIECE_BYTES = 256 << 10
_PARTIAL_CONTENT = 206
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def behind_proxy(environment: Mapping[str, str]) -> bool:
    """Tell whether requests may have to take a way round, which only the library knows."""
    return any(environment.get(name) or environment.get(name.upper()) for name in _PROXIES)


class SignedReads:
    """Reads from where `sign` points to; trusts the `authorities` of a file besides the system's.

    Connections are kept while reads are under way, and closed with the last of these.
    """

    def __init__(self, sign: Callable[[str], str], authorities: str | None) -> None:
        self._sign = sign
        self._authorities = authorities
        self._context: SSLContext | None = None
        self._lock = Lock()
        self._reading = 0
        self._idle: list[_Line] = []

    def get_range(self, key: str, span: Span, on_bytes: OnBytes) -> int:
        """Bring as much of `span` as comes without trouble, and return how many bytes that is.

        What is wrong with the network or the disk is not raised: the other way will meet it too.
        """
        from http.client import HTTPException

        url = urlsplit(self._sign(key))
        done = 0

        def count(length: int) -> None:
            nonlocal done
            done += length
            on_bytes(length)

        with suppress(OSError, HTTPException), self._line(url) as line:
            line.bring(f"{url.path}?{url.query}", span, count)
        return done

    @contextmanager
    def _line(self, url: SplitResult) -> Iterator["_Line"]:
        with self._lock:
            self._reading += 1
            line = self._idle.pop() if self._idle else None
        try:
            line = line or self._connect(url)
            yield line
        except BaseException:
            if line is not None:
                line.close()
            line = None
            raise
        finally:
            self._give_back(line)

    def _give_back(self, line: "_Line | None") -> None:
        with self._lock:
            self._reading -= 1
            if line is not None:
                self._idle.append(line)
            idle = [] if self._reading else self._idle
            if not self._reading:
                self._idle = []
        for each in idle:
            each.close()

    def _connect(self, url: SplitResult) -> "_Line":
        from http.client import HTTPConnection, HTTPSConnection

        host, port, wait = url.hostname or "", url.port, _CONNECT_SECONDS
        if url.scheme == "http":
            return _Line(HTTPConnection(host, port, timeout=wait), Pipe())
        with self._lock:
            self._context = self._context or self._trusting()
        return _Line(HTTPSConnection(host, port, timeout=wait, context=self._context), None)

    def _trusting(self) -> "SSLContext":
        import ssl

        context = ssl.create_default_context()
        if self._authorities:
            context.load_verify_locations(self._authorities)
        return context


class _Line:
    """A connection, and the pipe through which its bytes leave it where nothing is encrypted."""

    def __init__(self, connection: "HTTPConnection", pipe: Pipe | None) -> None:
        self._connection = connection
        self._pipe = pipe

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
        if self._pipe is not None:
            self._pipe.close()

    def bring(self, target: str, span: Span, on_bytes: OnBytes) -> None:
        """Bring a span into its file; raises `HTTPException` or `OSError` when not all came."""
        last = span.start + span.length - 1
        source = self._connected()
        self._connection.request("GET", target, headers={"Range": f"bytes={span.start}-{last}"})
        response = self._connection.getresponse()
        _require_plain(response, span)
        # What came along with the headers is in the response's buffer; all else in the socket.
        first = response.read1(_PIECE_BYTES)
        write(span.descriptor, memoryview(first), span.position)
        on_bytes(len(first))
        left = span.after(len(first))
        if self._pipe is not None:
            left = self._splice(source, self._pipe, left, on_bytes)
        left = _read(response, left, on_bytes)
        response.close()
        if left.length:
            raise _Broken

    def _connected(self) -> socket.socket:
        """Return the socket, a new one when the server has closed the last after its answer."""
        fresh = self._connection.sock is None
        if fresh:
            self._connection.connect()
        source: socket.socket = self._connection.sock
        if fresh:
            # For splices, which know nothing of Python's own deadlines: seconds, microseconds.
            patience = struct.pack("ll", _SILENCE_SECONDS, 0)
            source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
        source.settimeout(_SILENCE_SECONDS)
        return source

    def _splice(self, source: socket.socket, pipe: Pipe, span: Span, on_bytes: OnBytes) -> Span:
        """Bring the span past this process; return what is left of it, at best nothing."""
        source.settimeout(None)
        while span.length:
            try:
                count = pipe.move(source.fileno(), span.descriptor, span.position, span.length)
            except Unable:
                source.settimeout(_SILENCE_SECONDS)
                self._pipe = None
                pipe.close()
                break
            if not count:
                raise _Broken
            on_bytes(count)
            span = span.after(count)
        return span


def _read(response: "HTTPResponse", span: Span, on_bytes: OnBytes) -> Span:
    """Bring the span through memory; return what is left of it when the response ends."""
    if not span.length:
        return span
    piece = memoryview(bytearray(_PIECE_BYTES))
    while span.length and (count := response.readinto(piece[: span.length])):
        write(span.descriptor, piece[:count], span.position)
        on_bytes(count)
        span = span.after(count)
    return span


class _Broken(OSError):
    """The answer is not the span, or ended before it did."""


def _require_plain(response: "HTTPResponse", span: Span) -> None:
    """Go on only with a bare answer that holds exactly what was asked for."""
    starts = response.getheader("Content-Range", "").startswith(f"bytes {span.start}-")
    bare = not response.chunked and response.getheader("Content-Encoding") is None
    if response.status != _PARTIAL_CONTENT or response.length != span.length:
        raise _Broken
    if not (starts and bare):
        raise _Broken
