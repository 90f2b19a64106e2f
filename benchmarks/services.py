"""Pointsman's service with the example model, as a process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

import pointsman

DIGITS = Path(__file__).parent.parent / "examples" / "digits"
_START_SECONDS = 60.0


@dataclass(frozen=True)
class Store:
    """A store with digits v1 and v2, v1 active, and a place for caches."""

    url: str
    cache: Path


@dataclass(frozen=True)
class Running:
    """A service that answers, and how long it took until it did."""

    url: str
    port: int
    pid: int
    seconds: float


def published(directory: Path) -> Store:
    """Publish both example versions and activate the first."""
    store = Store((directory / "store").as_uri(), directory / "cache")
    registry = pointsman.open(store.url)
    for version in ("v1", "v2"):
        folder = DIGITS / version
        registry.publish("digits", version, folder / "model.onnx", golden=folder / "golden.npz")
    registry.activate("digits", "v1")
    return store


@contextmanager
def ours(store: Store, **settings: str) -> Iterator[Running]:
    """Run pointsman's service."""
    environment = {
        "POINTSMAN_STORE": store.url,
        "POINTSMAN_MODEL": "digits",
        "POINTSMAN_CACHE_DIR": str(store.cache),
        "POINTSMAN_HOST": "127.0.0.1",
        "POINTSMAN_DRAIN_GRACE": "0",
        **settings,
    }
    with _process(["-m", "pointsman_service"], environment) as running:
        yield running


@contextmanager
def _process(arguments: list[str], settings: dict[str, str]) -> Iterator[Running]:
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=os.environ | settings | {"PORT": str(port)},
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _await_health(url, process, started + _START_SECONDS)
        yield Running(url, port, process.pid, time.perf_counter() - started)
    finally:
        process.terminate()
        process.wait()


def _await_health(url: str, process: "subprocess.Popen[bytes]", deadline: float) -> None:
    while True:
        try:
            if httpx.get(f"{url}/health").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.perf_counter() > deadline:
            sys.exit(f"bench: {url} did not become healthy")
        time.sleep(0.005)


def free_port() -> int:
    """Ask the system for a port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
