"""Starting other programs: the only module of the command that does.

Environments may hold secrets and never appear in errors; argument lists must not hold any.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import psutil


def replace(arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Become another program: signals and the exit code are then its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(arguments[0], list(arguments), environment)  # noqa: S606 — no shell is wanted


def start_detached(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
    """Start a program that outlives this one; its output goes to `log`. Returns its process id."""
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


def start(arguments: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a child that shares this program's output."""
    return subprocess.Popen(arguments, stdin=subprocess.DEVNULL)  # noqa: S603 — as above


def started_at(pid: int) -> float | None:
    """Return when the process began; None when there is none, or only its remains."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None
