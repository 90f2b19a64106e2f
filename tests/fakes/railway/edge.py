"""The public address of a service: passes requests on to whichever release serves."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_NOBODY = b"<html>Application not found</html>"


class Edge:
    """One host name; `upstream` is the URL of what serves, "" of nothing."""

    def __init__(self) -> None:
        self.upstream = ""
        self.missing = 0
        """How many requests are still answered as if the name was not known yet."""
        handler = type("Bound", (_Handler,), {"edge": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    edge: Edge

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.edge.upstream or self.edge.missing > 0:
            self.edge.missing -= 1
            return self._answer(404, _NOBODY, "text/html")
        connection = http.client.HTTPConnection(urlsplit(self.edge.upstream).netloc, timeout=30)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content_type = answer.getheader("content-type") or "application/json"
            version = answer.getheader("x-model-version")
            self._answer(answer.status, answer.read(), content_type, version)
        except OSError:
            self._answer(502, b"Application failed to respond", "text/plain")
        finally:
            connection.close()
        return None

    do_GET = do_POST = forward  # noqa: N815 — the library's names

    def _answer(self, status: int, body: bytes, kind: str, version: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if version:
            self.send_header("X-Model-Version", version)
        self.end_headers()
        self.wfile.write(body)
