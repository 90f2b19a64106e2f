"""Services as processes: started on the server's core, waited for, weighed, ended by their ids."""

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.serving.environments import Unavailable
from benchmarks.serving.requests import Request

SERVER_CORE = 0
CLIENT_CORE = (os.cpu_count() or 1) - 1
"""The last core is the client's; with a single one they share it, and ratios suffer alike."""
_START_SECONDS = 90.0
_END_SECONDS = 15.0
_PAUSE_SECONDS = 0.002
_SHOWN_CHARACTERS = 400
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Running:
    """A service that answers."""

    port: int
    pid: int
    seconds: float
    """From its start to its first answer."""

    def memory_bytes(self) -> int:
        """Return the memory of the process and all its children; what is shared counts once."""
        process = psutil.Process(self.pid)
        everyone = [process, *process.children(recursive=True)]
        return sum(each.memory_full_info().pss for each in everyone)

    def cpu_seconds(self) -> float:
        """Return the processor time that they have taken."""
        process = psutil.Process(self.pid)
        times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
        return float(sum(each.user + each.system for each in times))


@contextmanager
def running(
    python: str, arguments: Sequence[str], variables: Mapping[str, str], port: int, first: Request
) -> Iterator[Running]:
    """Run a service until the block ends; raises `Unavailable` if it does not answer `first`."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*pinned(SERVER_CORE), python, *arguments],
            env=environment() | dict(variables),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _await(process, port, first, started + _START_SECONDS)
        except Unavailable as error:
            _end(process)
            log.seek(0)
            written = " ".join(log.read().decode(errors="replace").split())
            raise Unavailable(f"{error}: {written[-_SHOWN_CHARACTERS:]}") from error
        try:
            yield Running(port, process.pid, time.perf_counter() - started)
        finally:
            _end(process)


def pinned(core: int) -> tuple[str, ...]:
    """Return what stands before a command that shall have one core."""
    return ("taskset", "-c", str(core))


def answer(port: int, request: Request) -> tuple[int, bytes]:
    """Ask once, on a connection of its own; return the status and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", request.path, request.body, dict(request.headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def free_port() -> int:
    """Ask the system for a port, low enough for servers that take others a thousand above."""
    for port in range(20_000, 30_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in _GIVEN:
                _GIVEN.add(port)
                return port
    raise Unavailable("there is no free port")


_GIVEN: set[int] = set()


def environment() -> dict[str, str]:
    """Return the environment of a service: bytecode is cached, as wherever services run."""
    bytecode = Path(tempfile.gettempdir()) / f"pointsman-bench-bytecode-{os.getuid()}"
    environment = os.environ | dict.fromkeys(_ONE_THREAD, "1")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment | {"PYTHONPYCACHEPREFIX": str(bytecode), "ORT_DISABLE_TELEMETRY": "1"}


def _await(process: "subprocess.Popen[bytes]", port: int, first: Request, deadline: float) -> None:
    while True:
        try:
            status, _ = answer(port, first)
        except (OSError, http.client.HTTPException):
            status = 0
        if status == http.client.OK:
            return
        if process.poll() is not None:
            raise Unavailable(f"it ended with {process.returncode}")
        if time.perf_counter() > deadline:
            raise Unavailable(f"no answer within {_START_SECONDS:.0f} s (the last was {status})")
        time.sleep(_PAUSE_SECONDS)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a service with all its children; its session is its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_END_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
    process.wait()
