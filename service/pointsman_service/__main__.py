"""`python -m pointsman_service`: settings from the environment, then serve until told to end.

Exit code 0 after an orderly end, 2 for settings that cannot work, 1 when the port is taken.
"""

import logging
import os
import sys

from pointsman.errors import PointsmanError
from pointsman_service import logs, settings

log = logging.getLogger("pointsman_service")


def main() -> int:
    """Run the service; return the exit code."""
    try:
        configured = settings.from_environment(os.environ)
    except PointsmanError as error:
        return _explain(error, 2)
    logs.configure(configured.log_format)
    for name, likely in settings.unknown(os.environ).items():
        if name != "POINTSMAN_PLATFORM":
            log.warning("%s means nothing here%s", name, f"; {likely}?" if likely else "")
    # Imported now: with the runtime it takes longer than all the above, and errors come first.
    from pointsman_service import server

    try:
        listener = server.listen(configured)
        log.info("listening on http://%s:%d", *listener.getsockname()[:2])
        server.run(configured, listener)
    except PointsmanError as error:
        return _explain(error, 1)
    return 0


def _explain(error: PointsmanError, code: int) -> int:
    sys.stderr.write(f"error: {error.message}\n")
    if error.hint:
        sys.stderr.write(f"       {error.hint}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
