"""The supervisor of a local deployment: starts the service again when it dies.

Run as `python -m pointsman_cli.platforms.supervisor DIRECTORY INSTANCE`, with the service's
environment. Ends with the service when that ends in good order or never gets started, and on
SIGTERM, which it passes on. Does not begin when the record in DIRECTORY no longer names INSTANCE.
"""

import signal
import sys
import time
from pathlib import Path
from types import FrameType

from pointsman_cli import process
from pointsman_cli.platforms import record

_STARTED_SECONDS = 5.0
_SHORTEST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_STEADY_SECONDS = 60.0
_LOOK_SECONDS = 0.1


class Supervisor:
    """One service, and the wish to keep it running."""

    def __init__(self) -> None:
        self._ending = False
        self._service: process.Child | None = None

    def run(self) -> int:
        """Keep the service running; return its exit code when it should not be running."""
        signal.signal(signal.SIGTERM, self._end)
        pause, ever_started = _SHORTEST_PAUSE_SECONDS, False
        while True:
            began = time.monotonic()
            code = self._run_once()
            if self._ending:
                return 0
            lasted = time.monotonic() - began
            ever_started = ever_started or lasted > _STARTED_SECONDS
            # Codes above zero are its own: a setting or the port is wrong, and will be again.
            if code == 0 or (code > 0 and not ever_started):
                return code
            if lasted > _STEADY_SECONDS:
                pause = _SHORTEST_PAUSE_SECONDS
            _say(f"the service died ({code}); starting it again in {pause:g} s")
            if self._ends_within(pause):
                return 0
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _run_once(self) -> int:
        self._service = process.start([sys.executable, "-m", "pointsman_service"])
        if self._ending:
            self._service.terminate()  # the signal came before there was anyone to pass it on to
        return self._service.wait()

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self._ending = True
        if self._service is not None:
            self._service.send_signal(signal.SIGTERM)

    def _ends_within(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not self._ending and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        return self._ending


def main() -> int:
    """Supervise, if that is still wanted."""
    directory, instance = Path(sys.argv[1]), sys.argv[2]
    found = record.read(directory)
    if found is None or found.instance != instance:
        _say("this deployment has been replaced or destroyed before it began")
        return 0
    return Supervisor().run()


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
