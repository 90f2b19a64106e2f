"""A service that answers as the test says: `/health` from a list, `/predict` by multiplying."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.servers import threaded


@dataclass(slots=True)
class ScriptedService:
    """What is answered; the last health is repeated for ever."""

    digest: str
    factor: float = 2.0
    health: list[dict[str, Any]] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    """How many rows each prediction request had."""
    url: str = ""

    def next_health(self, expected: str) -> tuple[int, dict[str, Any]]:
        """Return a status and body; only what is asked for with expectations moves on."""
        body = self.health[0]
        if expected and len(self.health) > 1:
            self.health.pop(0)
        return 200 if body["status"] == "ok" else 503, body

    def predict(self, document: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Multiply `x`."""
        rows = document["inputs"]["x"]
        self.requests.append(len(rows))
        y = [[value * self.factor for value in row] for row in rows]
        return 200, {"outputs": {"y": y}, "model": {"version": "v?", "digest": self.digest}}


def healthy(generation: int, digest: str) -> dict[str, Any]:
    """The health of a service that serves this."""
    return {"status": "ok", "generation": generation, "digest": digest}


@contextmanager
def serving(script: ScriptedService) -> Iterator[ScriptedService]:
    """Serve on a free port; `url` says where."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*script.next_health(self.path.partition("?")[2]))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._send(*script.predict(json.loads(body)))

        def _send(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with threaded.serving(Handler) as script.url:
        yield script
