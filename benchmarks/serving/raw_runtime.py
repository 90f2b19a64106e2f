"""The ceiling: ONNX Runtime alone, in a loop, with one thread on the server's core.

Run as `python -m benchmarks.serving.raw_runtime MODEL NAME ROWS SECONDS`; prints one JSON object.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.serving.models import Model
from benchmarks.serving.processes import SERVER_CORE, pinned


def rows_per_second(model: Model, rows: int, seconds: float) -> float:
    """Measure in a process of its own."""
    row = model.path.with_suffix(".npy")
    np.save(row, model.row)
    command = [sys.executable, "-m", "benchmarks.serving.raw_runtime"]
    arguments = [str(model.path), str(row), str(rows), str(seconds)]
    command = [*pinned(SERVER_CORE), *command, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(result.stdout)["rows_per_second"])


def _measure(path: str, row: str, rows: int, seconds: float) -> float:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(path, options)
    feed = {"x": np.repeat(np.load(row), rows, axis=0)}
    for _ in range(3):
        session.run(None, feed)
    runs, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        session.run(None, feed)
        runs += 1
    return runs * rows / elapsed


if __name__ == "__main__":
    path, row, rows, seconds = sys.argv[1:]
    assert Path(row).exists()
    print(json.dumps({"rows_per_second": _measure(path, row, int(rows), float(seconds))}))
