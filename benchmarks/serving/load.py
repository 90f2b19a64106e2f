"""One window of load on one service.

By `wrk` where there is one, else by the generator of `client`, which takes more time between an
answer and the next request. `client` is used, too, where many requests that take long would be cut
off at the end of a window: it also counts them right.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.processes import CLIENT_CORE, pinned
from benchmarks.serving.requests import Request

WRK = shutil.which("wrk")
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Window:
    """What came of some seconds of load."""

    per_second: float
    p50_ms: float
    p99_ms: float
    failures: int
    answered: int
    """All answers, those before the count began included."""


def window(port: int, request: Request, connections: int, seconds: float, *, quick: bool) -> Window:
    """Keep `connections` busy for `seconds`; a `quick` model answers many times in that."""
    with tempfile.TemporaryDirectory() as directory:
        if WRK and (quick or connections == 1):
            return _by_wrk(port, request, connections, seconds, Path(directory))
        return _by_client(port, request, connections, seconds, Path(directory))


def _by_client(
    port: int, request: Request, connections: int, seconds: float, directory: Path
) -> Window:
    file = directory / "request"
    file.write_bytes(request.bytes())
    script = str(Path(__file__).parent / "client.py")
    result = _pinned(sys.executable, script, str(port), str(connections), str(seconds), str(file))
    found = json.loads(result)
    nothing = float("nan")
    return Window(
        found["per_second"],
        found["p50_ms"] or nothing,
        found["p99_ms"] or nothing,
        found["failures"],
        found["answered"],
    )


def _by_wrk(
    port: int, request: Request, connections: int, seconds: float, directory: Path
) -> Window:
    body, script = directory / "body", directory / "request.lua"
    body.write_bytes(request.body)
    lines = ['wrk.method = "POST"', f'wrk.body = io.open({_lua(bytes(body))}, "rb"):read("*a")']
    lines += [
        f"wrk.headers[{_lua(k.encode())}] = {_lua(v.encode())}" for k, v in request.headers.items()
    ]
    script.write_text("\n".join(lines))
    url = f"http://127.0.0.1:{port}{request.path}"
    options = ("-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--latency", "-s", str(script))
    text = _pinned(str(WRK), *options, url)
    failures = [int(each) for each in re.findall(r"Non-2xx or 3xx responses: (\d+)", text)]
    for line in re.findall(r"Socket errors: (.*)", text):
        failures += [int(each) for each in re.findall(r"\d+", line)]
    return Window(
        float(_found(r"Requests/sec:\s+([\d.]+)", text)),
        _duration(_found(r"(?m)^\s+50%\s+(\S+)", text)),
        _duration(_found(r"(?m)^\s+99%\s+(\S+)", text)),
        sum(failures),
        int(_found(r"(\d+) requests in", text)),
    )


def _pinned(*command: str) -> str:
    whole = [*pinned(CLIENT_CORE), *command]
    return subprocess.run(whole, capture_output=True, text=True, check=True).stdout


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]


def _duration(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    assert match is not None, text
    return float(match[1]) * _MILLISECONDS[match[2]]


def _lua(data: bytes) -> str:
    return '"' + "".join(f"\\{byte:03d}" for byte in data) + '"'
