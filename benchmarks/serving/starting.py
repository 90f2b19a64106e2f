"""How long a start takes: process → first healthy answer, with the model in the cache."""

import http.client
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from benchmarks.serving import environments, processes
from benchmarks.serving.contestants import Contestant
from benchmarks.serving.models import Model

_ROUNDS = 7
_FLOOR = "import onnxruntime, numpy, uvicorn"
_PAUSE_SECONDS = 0.002


@dataclass(frozen=True)
class Starts:
    """Medians, in seconds."""

    imports: float
    """Merely importing what any such service needs, in a process of its own."""
    ours: float
    plain: float


def measure(model: Model, ours: Contestant, plain: Contestant) -> Starts:
    """Start each again and again, taking turns."""
    found: dict[str, list[float]] = {"imports": [], "ours": [], "plain": []}
    for round_ in range(_ROUNDS + 1):
        times = {
            "imports": _imports(),
            "ours": _start(model, ours),
            "plain": _start(model, plain),
        }
        if round_:  # the first one wrote the bytecode
            for name, seconds in times.items():
                found[name].append(seconds)
    return Starts(**{name: statistics.median(seconds) for name, seconds in found.items()})


def _imports() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", _FLOOR], check=True, env=processes.environment())
    return time.perf_counter() - started


def _start(model: Model, contestant: Contestant) -> float:
    port = processes.free_port()
    python = environments.interpreter(contestant)
    started = time.perf_counter()
    process = subprocess.Popen(
        [python, *contestant.arguments(model, port)],
        env=processes.environment() | dict(contestant.variables(model, port)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _healthy(port):
            assert process.poll() is None, f"{contestant.name} ended with {process.returncode}"
            time.sleep(_PAUSE_SECONDS)
        return time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
