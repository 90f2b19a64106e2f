"""The supervisor of a local deployment: starts the service again when it dies.

Run as `python -m pointsman_cli.platforms.supervisor`, with the service's environment. Ends with
the service when the service ends in good order, or cannot start at all, and
on SIGTERM, which it passes on.
"""

import signal
import sys
import time
from types import FrameType

from pointsman_cli import process

_CANNOT_START = {1, 2}
_STARTED_SECONDS = 5.0
_SHORTEST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_STEADY_SECONDS = 60.0


class Ending(BaseException):
    """SIGTERM came."""


def main() -> int:
    """Keep the service running; return its exit code when it should not be running."""
    signal.signal(signal.SIGTERM, _end)
    pause = _SHORTEST_PAUSE_SECONDS
    while True:
        started = time.monotonic()
        code = _run_once()
        lasted = time.monotonic() - started
        if code == 0 or (code in _CANNOT_START and lasted < _STARTED_SECONDS):
            return code
        if lasted > _STEADY_SECONDS:
            pause = _SHORTEST_PAUSE_SECONDS
        sys.stderr.write(f"the service died ({code}); starting it again in {pause:g} s\n")
        sys.stderr.flush()
        try:
            time.sleep(pause)
        except Ending:
            return 0
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _run_once() -> int:
    service = process.start([sys.executable, "-m", "pointsman_service"])
    try:
        return service.wait()
    except Ending:
        service.terminate()
        service.wait()
        return 0


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise Ending


if __name__ == "__main__":
    sys.exit(main())
