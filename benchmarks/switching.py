"""How long from moving the channel until the other version answers, at two polling intervals."""

import statistics
import time
from typing import Any

import httpx

import pointsman
from benchmarks.services import Store, ours

_SWITCHES = 10


def measure(store: Store) -> list[dict[str, Any]]:
    """Switch back and forth with both versions resident."""
    return [_at(store, poll_seconds) for poll_seconds in (0.2, 2.0)]


def _at(store: Store, poll_seconds: float) -> dict[str, Any]:
    registry = pointsman.open(store.url)
    durations = []
    with ours(store, POINTSMAN_POLL_SECONDS=str(poll_seconds)) as running, httpx.Client() as client:
        for turn in range(_SWITCHES):
            target = ("v2", "v1")[turn % 2]
            started = time.perf_counter()
            registry.activate("digits", target)
            expected = f"{running.url}/health?version={target}"
            while client.get(expected).status_code != httpx.codes.OK:
                time.sleep(0.002)
            durations.append(time.perf_counter() - started)
    return {
        "poll_seconds": poll_seconds,
        "median_seconds": round(statistics.median(durations), 3),
        "worst_seconds": round(max(durations), 3),
        "worst_beyond_poll": round(max(0.0, max(durations) - poll_seconds), 3),
    }
