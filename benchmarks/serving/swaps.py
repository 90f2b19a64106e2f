"""Memory over many switches: `python -m benchmarks.serving.swaps [SWITCHES]`.

Four versions of the convolutional net take turns, so that every switch loads one anew, beside the
one that serves; what was replaced two switches ago is unloaded.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

import pointsman
from benchmarks.serving import contestants, models, plot, processes, requests
from benchmarks.serving.report import RESULTS

_SWITCHES = 500
_VERSIONS = ("v1", "v2", "v3", "v4")
_PAUSE_SECONDS = 0.005
_DEADLINE_SECONDS = 60.0
_SHOW_EVERY = 50
_LOOKS = 4
_BETWEEN_LOOKS_SECONDS = 0.03
MEGA = 1 << 20


def main() -> int:
    """Measure, print and plot; return the exit code."""
    switches = int(sys.argv[1]) if len(sys.argv) > 1 else _SWITCHES
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as directory:
        resident = _measure(Path(directory), switches)
    tenth = max(1, len(resident) // 10)
    early, late = (
        statistics.median(part) for part in (resident[tenth : 2 * tenth], resident[-tenth:])
    )
    print(f"after {tenth}-{2 * tenth} switches {early:.0f} MB, at the end {late:.0f} MB")
    RESULTS.mkdir(exist_ok=True)
    title = f"Resident memory over {len(resident)} switches of a 14 MB convolutional net"
    (RESULTS / "serving-memory.svg").write_text(plot.line(title, resident, "MB"))
    return 0


def _measure(directory: Path, switches: int) -> list[float]:
    """Return the resident megabytes after every switch."""
    model = models.make("conv", directory)
    ours = contestants.ours()
    registry = pointsman.open((directory / "store").as_uri())
    for version in _VERSIONS:
        registry.publish(model.name, version, model.path, note=version)
    registry.activate(model.name, _VERSIONS[-1])
    port = processes.free_port()
    variables = dict(ours.variables(model, port)) | {"POINTSMAN_POLL_SECONDS": "0.02"}
    first = requests.open_inference_binary(model, model.name, **{"X-API-Key": requests.KEY})
    arguments = ours.arguments(model, port)
    resident: list[float] = []
    with processes.running(sys.executable, arguments, variables, port, first) as running:
        process = psutil.Process(running.pid)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            for turn in range(switches):
                version = _VERSIONS[turn % len(_VERSIONS)]
                registry.activate(model.name, version)
                _await(client, version)
                processes.answer(port, first)
                resident.append(min(_sampled(process)))
                if turn % _SHOW_EVERY == 0:
                    print(f"  {turn:4} switches: {resident[-1]:.0f} MB", flush=True)
    return resident


def _sampled(process: psutil.Process) -> list[float]:
    """Look some times: what was replaced is unloaded a moment after the switch."""
    found = []
    for _ in range(_LOOKS):
        time.sleep(_BETWEEN_LOOKS_SECONDS)
        found.append(process.memory_info().rss / MEGA)
    return found


def _await(client: httpx.Client, version: str) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while client.get("/health", params={"version": version}).status_code != httpx.codes.OK:
        assert time.monotonic() < deadline, f"{version} is not served in time"
        time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
