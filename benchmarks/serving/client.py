"""A load generator that costs little: raw HTTP/1.1 over keep-alive connections.

Run as `python client.py PORT CONNECTIONS SECONDS REQUEST_FILE`; prints one JSON object. A process
of its own, so that generating load does not share the interpreter with anything measured. It counts
between two moments of a steady state: what is under way at either end distorts nothing.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import cast

import uvloop

_WARM_UP_SHARE = 0.25


class Client(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes, durations: list[float], failures: list[str]) -> None:
        self._request = request
        self._durations = durations
        self._failures = failures
        self._buffer = bytearray()
        self._missing = 0
        self._asked = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Wait for the whole answer, note it, ask again."""
        if self._missing:
            self._missing -= len(data)
        else:
            self._buffer += data
            head, separator, body = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            self._note(head)
            self._missing = _length(head, body)
            self._buffer.clear()
        if self._missing <= 0:
            self._missing = 0
            self._durations.append(time.perf_counter() - self._asked)
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a connection that the server ended."""
        if exc is not None:
            self._failures.append(str(exc))

    def close(self) -> None:
        """Stop asking."""
        if self._transport is not None:
            self._transport.abort()

    def _note(self, head: bytearray) -> None:
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")):
            self._failures.append(head[:40].decode("latin-1"))

    def _ask(self) -> None:
        assert self._transport is not None
        self._asked = time.perf_counter()
        self._transport.write(self._request)


def _length(head: bytearray, body: bytearray) -> int:
    """Return how many bytes of the body are still to come."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1]) - len(body)
    return 0 if body.endswith(b"0\r\n\r\n") else 1


async def ask(port: int, connections: int, seconds: float, request: bytes) -> dict[str, object]:
    """Keep `connections` busy for `seconds`; return throughput, latencies and failures."""
    durations: list[float] = []
    failures: list[str] = []
    loop = asyncio.get_running_loop()
    clients = [
        (
            await loop.create_connection(
                lambda: Client(request, durations, failures), "127.0.0.1", port
            )
        )[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds * _WARM_UP_SHARE)
    before = len(durations)
    durations.clear()
    started = time.perf_counter()
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - started
    ordered = sorted(durations)
    for client in clients:
        client.close()
    return {
        "per_second": len(ordered) / elapsed,
        "p50_ms": ordered[len(ordered) // 2] * 1000 if ordered else None,
        "p99_ms": ordered[len(ordered) * 99 // 100] * 1000 if ordered else None,
        "failures": len(failures),
        "answered": before + len(ordered),
    }


if __name__ == "__main__":
    port, connections, seconds, file = sys.argv[1:]
    body = Path(file).read_bytes()
    print(json.dumps(uvloop.run(ask(int(port), int(connections), float(seconds), body))))
