"""`make bench-convergence`: how fast a fleet follows a rollback, and what it looks like.

Twenty services on one S3 server (SeaweedFS) look at their channel every two seconds, and have the
version to go back to in memory. `pointsman rollback` is typed again and again, at random moments of
their cycles; what counts is the number it prints, from the change to the last instance's word.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.servers import seaweedfs, service_process

import pointsman
from benchmarks.services import DIGITS

RESULTS = Path(__file__).parent / "results"
POLL_SECONDS = 2.0
ALLOWED_BEYOND_POLL = 0.5
_SCRIPT = Path(sys.executable).with_name("pointsman")
_MODEL = "digits"
_STARTING_AT_ONCE = 4


def main() -> int:
    """Measure, print, write, plot."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as directory:
        os.environ.update(_plain_environment())
        with _fleet(Path(directory), arguments.instances) as store:
            runs = [_rollback(store) for _ in range(arguments.rollbacks)]
    document = _document(runs, arguments.instances)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "convergence.json").write_text(json.dumps(document, indent=2) + "\n")
    for name in ("fleet", "instance"):
        print(name, "  ".join(f"{key} {value}" for key, value in document[name].items()))
    target = POLL_SECONDS + ALLOWED_BEYOND_POLL
    kept = document["fleet"]["p95"] <= target
    print(f"p95 of the fleet {'is within' if kept else 'is BEYOND'} {target} s")
    _plot()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=20)
    parser.add_argument("--rollbacks", type=int, default=40)
    return parser.parse_args()


def _plain_environment() -> dict[str, str]:
    return {"AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1,localhost"}


@contextmanager
def _fleet(directory: Path, count: int) -> Iterator[str]:
    """Run services that all serve v1; yield their store's URL."""
    with ExitStack() as stack:
        server = stack.enter_context(seaweedfs.running())
        os.environ.update(server.environment)
        store = f"s3://{server.bucket}/bench"
        registry = pointsman.open(store)
        for version in ("v1", "v2"):
            registry.publish(_MODEL, version, DIGITS / version / "model.onnx")
        registry.activate(_MODEL, "v1")
        settings = {
            "POINTSMAN_POLL_SECONDS": str(POLL_SECONDS),
            "POINTSMAN_HEARTBEAT_SECONDS": "30",
        }
        services = [
            stack.enter_context(
                service_process.prepared(
                    directory / f"service-{number:02}",
                    store,
                    _MODEL,
                    POINTSMAN_INSTANCE=f"instance-{number:02}",
                    **settings,
                )
            )
            for number in range(count)
        ]
        for number, service in enumerate(services):
            service.start()
            if number % _STARTING_AT_ONCE == 0:
                service.until_healthy(version="v1")
        for service in services:
            service.until_healthy(version="v1")
        print(f"{count} instances serve v1", file=sys.stderr)
        yield store


def _rollback(store: str) -> dict[str, Any]:
    """Go to v2 and, at a random moment, back to v1, which is in memory; return what was said."""
    _typed("activate", "v2", store)
    time.sleep(random.uniform(0, POLL_SECONDS))  # noqa: S311 — so that no cycle is met at the same point
    return _typed("rollback", store)


def _typed(*arguments: str) -> dict[str, Any]:
    *words, store = arguments
    command = [str(_SCRIPT), *words, "--model", _MODEL, "--store", store, "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"bench: {' '.join(words)} ended with {result.returncode}: {result.stderr}")
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def _document(runs: list[dict[str, Any]], instances: int) -> dict[str, Any]:
    fleet = sorted(run["seconds"] for run in runs)
    single = sorted(each["seconds"] for run in runs for each in run["instances"])
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "instances": instances,
        "rollbacks": len(runs),
        "poll_seconds": POLL_SECONDS,
        "failed_requests": sum(run["failed_requests"] for run in runs),
        "fleet": _summary(fleet),
        "instance": _summary(single),
        "fleet_seconds": fleet,
        "instance_seconds": single,
    }


def _summary(ordered: list[float]) -> dict[str, float]:
    p95 = ordered[min(len(ordered) * 95 // 100, len(ordered) - 1)]
    median = round(statistics.median(ordered), 3)
    return {"p50": median, "p95": p95, "worst": ordered[-1]}


def _plot() -> None:
    """Draw the distribution, by a program of the bench's own environment."""
    from benchmarks import plotting

    picture = RESULTS / "convergence.svg"
    if reason := plotting.draw("convergence", RESULTS / "convergence.json", picture):
        print(f"no plot: {reason}", file=sys.stderr)
    else:
        print(picture)


if __name__ == "__main__":
    sys.exit(main())
