"""How long from starting the process to the first healthy answer, with the model in the cache."""

import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.services import Store, ours, plain

_ROUNDS = 5
_FLOOR = "import numpy, onnxruntime, uvicorn"


def measure(store: Store) -> list[dict[str, Any]]:
    """Compare with merely importing what any such service needs, and with the plain service."""
    with ours(store):
        pass  # fills the cache
    rows: dict[str, list[float]] = {"imports alone": [], "pointsman": [], "plain FastAPI": []}
    for _ in range(_ROUNDS):
        rows["imports alone"].append(_import_seconds())
        with ours(store) as running:
            rows["pointsman"].append(running.seconds)
        with plain() as running:
            rows["plain FastAPI"].append(running.seconds)
    floor = statistics.median(rows["imports alone"])
    return [
        {
            "what": name,
            "median_seconds": round(statistics.median(seconds), 3),
            "ratio_to_imports": round(statistics.median(seconds) / floor, 2),
        }
        for name, seconds in rows.items()
    ]


def _import_seconds() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", _FLOOR], check=True)
    return time.perf_counter() - started
