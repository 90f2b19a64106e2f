"""What runs at the fake Railway: the real service as a process, with the variables it was given.

Nothing of the tests' own environment reaches it: a variable that a deployment forgets is missing.
"""

import os
import signal
import time
from pathlib import Path

import httpx

from tests.servers.service_process import ServiceProcess

_LOOK_SECONDS = 0.05
_END_SECONDS = 20.0


class Container:
    """One instance of one release."""

    def __init__(self, folder: Path, instance: str, variables: dict[str, str]) -> None:
        # Railway gives every container its port to itself; here they share one machine.
        here = {"PORT": "0", "POINTSMAN_HOST": "127.0.0.1", "POINTSMAN_INSTANCE": instance}
        self._service = ServiceProcess(
            folder / instance,
            variables["POINTSMAN_STORE"],
            variables["POINTSMAN_MODEL"],
            {**variables, **here},
            {"PATH": os.environ["PATH"]},
        )
        self._service.launch()

    @property
    def lines(self) -> list[str]:
        """What it wrote so far."""
        return self._service.log.splitlines()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._service.url

    def healthy(self, path: str, seconds: float) -> tuple[bool, int]:
        """Ask as Railway does, until exactly 200; return whether it came, and the attempts."""
        deadline, attempts = time.monotonic() + seconds, 0
        while time.monotonic() < deadline and self._service.runs:
            if self._service.listens():
                attempts += 1
                if self._status(path) == httpx.codes.OK:
                    return True, attempts
            time.sleep(_LOOK_SECONDS)
        return False, attempts

    def end(self) -> None:
        """Let it end in good order."""
        if self._service.runs:
            self._service.signal(signal.SIGTERM)
            self._service.wait(_END_SECONDS)

    def _status(self, path: str) -> int:
        headers = {"Host": "healthcheck.railway.app"}
        with httpx.Client(headers=headers, timeout=5, trust_env=False) as client:
            return client.get(self.url + path).status_code
