"""`python -m pointsman_service`: settings from the environment, then serve until told to end.

Exit code 0 after an orderly end; 2 for settings that cannot work; 1 when the port is taken, or
when requests were left without an answer because the end came too fast for them.
"""

import gc
import logging
import os
import signal
import sys
from types import FrameType

from pointsman.errors import PointsmanError
from pointsman_service import logs, settings
from pointsman_service.runtime import memory

log = logging.getLogger("pointsman_service")


def main() -> int:
    """Run the service; return the exit code."""
    # What is imported is never garbage, and looking for some is a tenth of the whole start.
    gc.disable()
    try:
        configured = settings.from_environment(os.environ)
        logs.configure(configured.log_format)
        memory.few_arenas()
        _warn_of_unknown_variables()
        # Imported now: with the runtime it takes longer than all the above, and errors come first.
        from pointsman_service import server
        from pointsman_service.service import Service

        service = Service(configured)
    except PointsmanError as error:
        return _explain(error, 2)
    try:
        listener = server.listen(configured)
    except server.PortTaken as error:
        return _explain(error, 1)
    gc.freeze()
    gc.enable()
    host, port = listener.getsockname()[:2]
    log.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
    return 0 if server.run(service, listener) else 1


def _warn_of_unknown_variables() -> None:
    for name, likely in settings.unknown(os.environ).items():
        if name != "POINTSMAN_PLATFORM":
            log.warning("%s means nothing here%s", name, f"; {likely}?" if likely else "")


def _explain(error: PointsmanError, code: int) -> int:
    sys.stderr.write(f"error: {error.message}\n")
    if error.hint:
        sys.stderr.write(f"       {error.hint}\n")
    return code


def _end_before_the_beginning(_signal: int, _frame: FrameType | None) -> None:
    os._exit(0)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        # Until the server has its own handlers. Without one, the kernel would not even deliver
        # the signal to a container's first process.
        signal.signal(number, _end_before_the_beginning)
    code = main()
    logging.shutdown()
    sys.stderr.flush()
    # Python would wait for its threads, and neither a model nor a store can be interrupted.
    os._exit(code)
