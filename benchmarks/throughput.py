"""How many predictions per second, against the plain FastAPI service, window by window."""

import json
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.services import Running, Store, ours, plain

_CONNECTIONS = (1, 16, 64)
_WINDOWS = 3
_SECONDS = 2.0


def measure(store: Store) -> list[dict[str, Any]]:
    """Alternate between the services, so that a noisy machine disturbs both alike."""
    with ours(store) as one, plain() as other:
        return [_row(connections, one, other) for connections in _CONNECTIONS]


def _row(connections: int, one: Running, other: Running) -> dict[str, Any]:
    windows = [(_window(one, connections), _window(other, connections)) for _ in range(_WINDOWS)]
    mine = statistics.median(window["requests_per_second"] for window, _ in windows)
    plain_ = statistics.median(window["requests_per_second"] for _, window in windows)
    return {
        "connections": connections,
        "pointsman_rps": mine,
        "plain_rps": plain_,
        "ratio": round(mine / plain_, 2),
        "pointsman_p99_ms": statistics.median(window["p99_ms"] for window, _ in windows),
        "plain_p99_ms": statistics.median(window["p99_ms"] for _, window in windows),
        "failures": sum(window["failures"] for pair in windows for window in pair),
    }


def _window(running: Running, connections: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.load"]
    arguments = [str(running.port), str(connections), str(_SECONDS)]
    result = subprocess.run([*command, *arguments], capture_output=True, check=True)
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer
