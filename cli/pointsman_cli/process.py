"""Starting other programs, and finding them again: the only module of the command that does.

Environments may hold secrets and never appear in errors; argument lists must not hold any.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import psutil

Child = subprocess.Popen[bytes]


def replace(arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Become another program: signals and the exit code are then its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(arguments[0], list(arguments), environment)  # noqa: S606 — no shell is wanted


def start_detached(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
    """Start a program that outlives this one, in a session of its own; it writes to `log`.

    Returns its process id, which is the session's too.
    """
    with log.open("ab") as file:
        child = subprocess.Popen(  # noqa: S603 — arguments are built by us, no shell
            arguments,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    # The child belongs to init from now on; nobody here waits for it.
    child.returncode = 0
    return child.pid


def start(arguments: Sequence[str]) -> Child:
    """Start a child that shares this program's output."""
    return subprocess.Popen(arguments, stdin=subprocess.DEVNULL)  # noqa: S603 — as above


def runs(pid: int, *marks: str) -> bool:
    """Tell whether a process still runs, by its id and what its argument list ends with.

    An id alone may have been given to somebody else since; and the time a process began is not
    the same after the clock was set.
    """
    try:
        return pid > 0 and tuple(psutil.Process(pid).cmdline()[-len(marks) :]) == marks
    except psutil.Error:
        return False


def session(leader: int, mark: tuple[str, str]) -> list[psutil.Process]:
    """Return the processes of the session that `leader` began, whether it still runs or not.

    They are ours if their environment has the variable and value of `mark`.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if leader > 0 and os.getsid(process.pid) == leader and _marked(process, mark):
                found.append(process)
        except (psutil.Error, OSError):
            continue  # it ended, or is none of our business
    return found


def _marked(process: psutil.Process, mark: tuple[str, str]) -> bool:
    name, value = mark
    return process.environ().get(name) == value
