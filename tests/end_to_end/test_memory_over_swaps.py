"""Memory over hundreds of switches: what a version took is given back when it leaves."""

import statistics
from pathlib import Path

import httpx
import pytest

from tests import models
from tests.servers import service_process
from tests.servers.service_process import ServiceProcess
from tests.service.shelf import Shelf

SWAPS = 500
VERSIONS = 8
BALLAST = 1 << 20


@pytest.mark.slow
def test_after_500_switches_memory_is_within_a_tenth_of_what_it_was_after_5(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    """Medians of ten, because a process's memory breathes; every switch loads and unloads."""
    pointers = [
        shelf.put(f"v{number}", models.heavy(tmp_path / f"{number}.onnx", BALLAST, number))
        for number in range(VERSIONS)
    ]
    shelf.activate(pointers[0])
    held: list[int] = []
    with (
        service_process.running(tmp_path / "s", file_url, POINTSMAN_POLL_SECONDS="0.01") as service,
        httpx.Client(base_url=service.url, timeout=120) as client,
    ):
        service.until_healthy(generation="1")
        for swap in range(1, SWAPS + 1):
            shelf.activate(pointers[swap % VERSIONS])
            settled(service, client, swap + 1)
            held.append(resident_bytes(service.pid))
    early, late = statistics.median(held[4:14]), statistics.median(held[-10:])
    assert late <= early * 1.1, f"{early} bytes after 5 switches, {late} after {SWAPS}"


def settled(service: ServiceProcess, client: httpx.Client, generation: int) -> None:
    """Wait until a generation serves and has answered, and two versions are in memory."""

    def served() -> bool:
        found = client.get("/health", params={"generation": str(generation)})
        return found.status_code == httpx.codes.OK

    service.until(served, f"generation {generation} serves")
    answer = client.post("/predict", json={"inputs": [[1, 2, 3, 4]]})
    assert answer.status_code == httpx.codes.OK
    expected = f"unloaded v{(generation - 3) % VERSIONS}"
    service.until(
        lambda: generation < 3 or service.log.count(expected) >= (generation - 3) // VERSIONS + 1,
        f"{expected} for generation {generation}",
    )


def resident_bytes(pid: int) -> int:
    """Return what a process holds in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024
