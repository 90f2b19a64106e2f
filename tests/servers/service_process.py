"""The real service as a real process, for tests: `python -m pointsman_service` on a free port.

It has its own cache directory, looks at its store many times a second, and is killed at the end
whatever happened. An assertion that fails while it runs carries its log.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.02
_LISTENING = re.compile(r"listening on (http://[0-9a-z.:\[\]]+)")

_QUICK = {
    "POINTSMAN_HOST": "127.0.0.1",
    "PORT": "0",
    "POINTSMAN_POLL_SECONDS": "0.05",
    "POINTSMAN_HEARTBEAT_SECONDS": "3",
    "POINTSMAN_DRAIN_GRACE": "0.2",
    "POINTSMAN_INSTANCE": "tested",
}

Document = dict[str, Any]


class ServiceProcess:
    """One service; `start` may be called again after it ended, and finds the same cache."""

    def __init__(
        self,
        directory: Path,
        store: str,
        model: str,
        variables: Mapping[str, str],
        inherited: Mapping[str, str] = os.environ,
    ) -> None:
        """Prepare a service that knows `inherited`, this process's environment, and `variables`."""
        directory.mkdir(parents=True, exist_ok=True)
        self._log = directory / "service.log"
        self._directory = directory
        self._inherited = inherited
        self._variables = {
            **_QUICK,
            "POINTSMAN_STORE": store,
            "POINTSMAN_MODEL": model,
            "POINTSMAN_CACHE_DIR": str(directory / "cache"),
            **variables,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def launch(self) -> None:
        """Start the process, and wait for nothing."""
        self._log.unlink(missing_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pointsman_service"],
                env={**self._inherited, **self._variables},
                cwd=self._directory,
                stdout=log,
                stderr=log,
            )

    def start(self) -> None:
        """Start the process, and wait until it listens."""
        self.launch()
        self.until(self.listens, "the service listens")

    def listens(self) -> bool:
        """Tell whether the process has said where it listens; `url` is known from then on."""
        if found := _LISTENING.search(self.log):
            self.url = found[1]
        return bool(found)

    @property
    def log(self) -> str:
        """What the process has written so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def runs(self) -> bool:
        """Whether the process was launched and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    def health(self, **expected: str) -> tuple[int, Document]:
        """Ask `/health` on a connection of its own; return the status and the body."""
        response = httpx.get(f"{self.url}/health", params=expected, timeout=_PATIENCE_SECONDS)
        return response.status_code, response.json()

    def predict(self, inputs: Any, **options: Any) -> httpx.Response:
        """Ask `/predict` on a connection of its own."""
        options = {"timeout": _PATIENCE_SECONDS} | options
        return httpx.post(f"{self.url}/predict", json={"inputs": inputs}, **options)

    @property
    def in_flight(self) -> int:
        """How many predictions are being computed, as `/metrics` tells."""
        lines = httpx.get(f"{self.url}/metrics", timeout=_PATIENCE_SECONDS).text.splitlines()
        value = next(line for line in lines if line.startswith("pointsman_in_flight ")).split()[1]
        return int(float(value))

    def until(
        self, condition: Callable[[], object], what: str, seconds: float = _PATIENCE_SECONDS
    ) -> None:
        """Return once `condition` holds; fails after `seconds`, or when the process has ended."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert self._process is None or self._process.poll() is None, (
                f"the service ended with {self._process.returncode} before {what}"
            )
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
            time.sleep(_LOOK_SECONDS)

    def until_healthy(self, **expected: str) -> Document:
        """Wait until `/health` answers 200 for what is expected; return its body."""
        self.until(lambda: self.health(**expected)[0] == httpx.codes.OK, f"healthy with {expected}")
        return self.health()[1]

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, seconds: float = _PATIENCE_SECONDS) -> int:
        """Return the exit code; fails when the process goes on for longer."""
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"the service still runs after {seconds} s") from error

    def kill(self) -> None:
        """End the process as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def prepared(
    directory: Path, store: str, model: str = "m", **variables: str
) -> Iterator[ServiceProcess]:
    """Yield a service that is yet to be started; it is gone when the block ends."""
    service = ServiceProcess(directory, store, model, variables)
    try:
        yield service
    except BaseException as error:
        error.add_note(f"the service's log:\n{service.log}")
        raise
    finally:
        service.kill()


@contextmanager
def running(
    directory: Path, store: str, model: str = "m", **variables: str
) -> Iterator[ServiceProcess]:
    """Yield a service that listens."""
    with prepared(directory, store, model, **variables) as service:
        service.start()
        yield service
