"""Starting other programs, and finding them again: the only module of the command that does.

Environments may hold secrets and never appear in errors; argument lists must not hold any.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
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

    Returns its process id.
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


def is_running(pid: int, arguments: Sequence[str]) -> bool:
    """Tell whether the process still runs that was started under this id with these arguments."""
    try:
        return ends_with(psutil.Process(pid), arguments)
    except psutil.Error:
        return False


def ends_with(process: psutil.Process, arguments: Sequence[str]) -> bool:
    """Tell whether a process's argument list ends with these; a dead one has none."""
    try:
        return process.cmdline()[-len(arguments) :] == list(arguments)
    except psutil.Error:
        return False


def having(variable: str, value: str) -> Iterator[psutil.Process]:
    """Yield every process that was started with this environment variable."""
    for process in psutil.process_iter():
        try:
            if process.environ().get(variable) == value:
                yield process
        except psutil.Error:
            continue  # it ended, or is none of our business


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process runs, and is not merely what remains of it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end(
    processes: Sequence[psutil.Process], asked: Sequence[psutil.Process], patience_seconds: float
) -> None:
    """Ask some processes to end, wait for all, and kill those that have not after a while."""
    for each in asked:
        with suppress(psutil.NoSuchProcess):
            each.terminate()
    _, remaining = psutil.wait_procs(processes, timeout=patience_seconds)
    for each in remaining:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(remaining)
