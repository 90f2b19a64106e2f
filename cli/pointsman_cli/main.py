"""The one place where whatever goes wrong becomes a sentence and an exit code."""

import os
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

from pointsman_cli.interruption import Watchdog

_INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line of this process."""
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # between the last word and the end
        code = _INTERRUPTED
    if code == _INTERRUPTED:
        # Threads may still wait for a store; whoever pressed Ctrl-C does not want to.
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Carry out one command; return the exit code, after the failure, if any, has been told."""
    farewell = _Farewell()
    with Watchdog(farewell.say) as watchdog:
        try:
            try:
                return _carry_out(arguments)
            except Exception as error:  # noqa: BLE001 — this is where all of them end
                watchdog.settled = True
                return _explain(error)
        except KeyboardInterrupt:
            return farewell.say()


class _Farewell:
    """What is said to somebody who pressed Ctrl-C: once, by whichever thread comes to it first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said = False

    def say(self) -> int:
        """Tell how things stand; return the exit code."""
        from pointsman_cli.context import current

        with self._lock:
            if not self._said:
                self._said = True
                context = current.context
                context.fail(context.interrupted())
        return _INTERRUPTED


def _carry_out(arguments: Sequence[str]) -> int:
    from pointsman_cli.application import app
    from pointsman_cli.context import Context, current
    from pointsman_cli.output import Output

    _mend_streams()
    current.debug = "--debug" in arguments
    # The voice of a command line that turns out to make no sense.
    current.context = Context(Output(as_json="--json" in arguments), {})
    code = app(arguments, prog_name="pointsman", standalone_mode=False)
    if code == _INTERRUPTED:
        raise KeyboardInterrupt  # swallowed by the parser, outside of any command
    return int(code or 0)


def _explain(error: Exception) -> int:
    from pointsman_cli.context import current
    from pointsman_cli.errors import exit_code, explained

    if current.debug:
        import traceback

        traceback.print_exception(error)
    failure = explained(error)
    current.context.fail(failure)
    return exit_code(failure)


def _mend_streams() -> None:
    """Let no closed or narrow-minded stream turn a result into a failure."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 — for good
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
