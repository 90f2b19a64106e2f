"""A load generator that costs little: raw HTTP/1.1 over keep-alive connections.

Run as `python -m benchmarks.load PORT CONNECTIONS SECONDS`; prints one JSON object. A process of
its own, so that generating load does not share the interpreter with anything measured.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import cast

import uvloop

_BODY = (Path(__file__).parent.parent / "examples" / "digits" / "request.json").read_bytes()
_INPUTS = json.dumps({"inputs": json.loads(_BODY)["inputs"]["pixels"]}).encode()
_REQUEST = (
    b"POST /predict HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_INPUTS), _INPUTS)
)


class Client(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, durations: list[float], failures: list[bytes]) -> None:
        self._durations = durations
        self._failures = failures
        self._buffer = b""
        self._asked = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Wait for the whole answer, note it, ask again."""
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        if len(body) < length:
            return
        self._buffer = b""
        self._durations.append(time.perf_counter() - self._asked)
        if not head.startswith(b"HTTP/1.1 200"):
            self._failures.append(head)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a connection that the server ended."""
        if exc is not None:
            self._failures.append(str(exc).encode())

    def close(self) -> None:
        """Stop asking."""
        if self._transport is not None:
            self._transport.abort()

    def _ask(self) -> None:
        assert self._transport is not None
        self._asked = time.perf_counter()
        self._transport.write(_REQUEST)


async def ask(port: int, connections: int, seconds: float) -> dict[str, float]:
    """Keep `connections` busy for `seconds`; return throughput, latencies and failures."""
    durations: list[float] = []
    failures: list[bytes] = []
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: Client(durations, failures), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds / 4)
    durations.clear()
    await asyncio.sleep(seconds)
    ordered = sorted(durations)
    for client in clients:
        client.close()
    return {
        "requests_per_second": round(len(ordered) / seconds, 1),
        "p50_ms": round(ordered[len(ordered) // 2] * 1000, 3),
        "p99_ms": round(ordered[len(ordered) * 99 // 100] * 1000, 3),
        "failures": len(failures),
    }


if __name__ == "__main__":
    arguments = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(uvloop.run(ask(*arguments))))
