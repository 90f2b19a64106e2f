"""A proxy in front of a real server that spoils one chosen request of all that pass.

The others pass untouched, so that what is tested is how a whole operation lives through one
misfortune at any of its steps.
"""

import http.client
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler
from itertools import count
from urllib.parse import urlsplit

from tests.servers.threaded import serving

_DELAY_SECONDS = 0.3


class Fault(StrEnum):
    """What can happen to a request."""

    ERROR = "error"
    LOST_ANSWER = "lost answer"
    DELAY = "delay"
    TRUNCATED = "truncated body"
    RESET = "reset"
    HELD = "held until it is let go"


@dataclass(slots=True)
class Proxy:
    """Where it listens, and what it does to the `at`-th request and, if `always`, all after it.

    Requests whose path and query lack `only` pass untouched and do not count.
    """

    upstream: str
    fault: Fault | None = None
    at: int = 0
    always: bool = False
    only: str = ""
    url: str = ""
    passed: Iterator[int] = field(default_factory=lambda: count(1))
    spoilt: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    let_go: threading.Event = field(default_factory=threading.Event)
    over: bool = False

    def plan(self, fault: Fault, at: int, *, always: bool = False, only: str = "") -> None:
        """Count requests from here on."""
        self.fault, self.at, self.always, self.only = fault, at, always, only
        self.passed, self.spoilt = count(1), 0

    def heal(self) -> None:
        """Spoil nothing more."""
        self.fault = None

    def next_fault(self, path: str) -> Fault | None:
        """Tell what is to happen to the request that has just come."""
        if self.only not in path:
            return None
        with self.lock:
            number = next(self.passed)
            hit = number >= self.at if self.always else number == self.at
            if self.fault is None or not hit:
                return None
            self.spoilt += 1
            return self.fault


@contextmanager
def in_front_of(upstream: str) -> Iterator[Proxy]:
    """Listen on a free port of the loopback interface."""
    proxy = Proxy(upstream)
    with serving(_Handler, proxy=proxy) as proxy.url:
        try:
            yield proxy
        finally:
            proxy.over = True
            proxy.let_go.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.next_fault(self.path)
        if fault is Fault.RESET:
            return self._reset()
        if fault is Fault.ERROR:
            return self._send(500, [], b"<Error><Code>InternalError</Code></Error>")
        if fault is Fault.DELAY:
            time.sleep(_DELAY_SECONDS)  # the misfortune itself, not a wait for anything
        if fault is Fault.HELD:
            self.proxy.let_go.wait()
            if self.proxy.over:
                return self._reset()
        status, headers, answer = self._ask(body)
        if fault is Fault.LOST_ANSWER:
            return self._reset()
        self._send(status, headers, answer, cut=fault is Fault.TRUNCATED)
        return None

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward  # noqa: N815 — the library's names

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.proxy.upstream).netloc, timeout=120)
        try:
            # Headers pass as they are, Host too: it is part of what is signed.
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _send(
        self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: bool = False
    ) -> None:
        self.send_response_only(status)
        length = str(len(body))
        for name, value in headers:
            if name.lower() == "content-length":
                length = value  # that of a HEAD speaks of a body which does not come
            elif name.lower() not in {"transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True

    def _reset(self) -> None:
        """End the connection with RST instead of an answer."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()
