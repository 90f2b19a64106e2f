"""An HTTP server with one answer to everything.

It says what no real server can be made to say.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.servers.threaded import serving


@dataclass(slots=True)
class Canned:
    """What is answered, and what was asked so far."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    with_date: bool = True
    url: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def answering(canned: Canned) -> Iterator[Canned]:
    """Serve `canned` on a free port; its `url` says where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            canned.asked.append(f"{self.command} {self.path}")
            self.send_response_only(canned.status)
            if canned.with_date:
                self.send_header("Date", self.date_time_string())
            headers = {"Content-Length": str(len(canned.body))} | canned.headers
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(canned.body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 — the library's names

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with serving(Handler) as canned.url:
        yield canned
