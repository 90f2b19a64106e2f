"""The ceiling: ONNX Runtime alone, in a loop, with one thread on the server's core.

Run as `python -m benchmarks.serving.raw_runtime MODEL NAME ROWS SECONDS`; prints one JSON object.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.serving.models import Model
from benchmarks.serving.processes import SERVER_CORE, pinned


@dataclass(frozen=True)
class Speed:
    """What the runtime reaches by itself."""

    rows_per_second: float
    tail: float
    """The 99th percentile of its runs' durations, over their median: what a machine that others use
    too does to anybody's."""


def measured(model: Model, rows: int, seconds: float) -> Speed:
    """Measure in a process of its own."""
    row = model.path.with_suffix(".npy")
    np.save(row, model.row)
    command = [sys.executable, "-m", "benchmarks.serving.raw_runtime"]
    arguments = [str(model.path), str(row), str(rows), str(seconds)]
    command = [*pinned(SERVER_CORE), *command, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return Speed(**json.loads(result.stdout))


def _measure(path: str, row: str, rows: int, seconds: float) -> Speed:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(path, options)
    feed = {"x": np.repeat(np.load(row), rows, axis=0)}
    for _ in range(3):
        session.run(None, feed)
    durations: list[float] = []
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        before = time.perf_counter()
        session.run(None, feed)
        durations.append(time.perf_counter() - before)
    ordered = sorted(durations)
    runs = len(ordered)
    return Speed(runs * rows / elapsed, ordered[runs * 99 // 100] / ordered[runs // 2])


if __name__ == "__main__":
    path, row, rows, seconds = sys.argv[1:]
    assert Path(row).exists()
    print(json.dumps(asdict(_measure(path, row, int(rows), float(seconds)))))
