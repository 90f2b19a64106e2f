"""Starting other programs, and finding them again: the only module of the command that does.

Environments and standard input may hold secrets and never appear in errors; argument lists must
not hold any. `run` asks a program something, `stream` tells what it says while it works.
"""

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn

import psutil

from pointsman_cli.errors import CommandError

Child = subprocess.Popen[bytes]
_INTERRUPTED_SECONDS = 10.0
_ENDED_SECONDS = 5.0
_REMEMBERED_LINES = 200
_LOOK_SECONDS = 0.2
# ECMA-48 control sequences: some programs colour what they say even where nobody sees it.
_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class ProgramMissing(CommandError):
    """A program that is to be started is not installed."""


class ProgramTookTooLong(CommandError):
    """A program did not end in time, and was ended."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended, and all it said."""

    code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether it ended with 0."""
        return self.code == 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line that a program said, without its end."""

    text: str
    error: bool = False
    """Whether it was said on standard error."""


@dataclass(slots=True)
class Streaming:
    """A program at work: iterate over `lines`; `code` is there when they have ended."""

    lines: Iterator[Line]
    code: int | None = None
    remembered: deque[Line] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_LINES))

    def said(self, *, errors_only: bool = False) -> str:
        """Return the last lines it said, as one text."""
        told = (line.text for line in self.remembered if line.error or not errors_only)
        return "\n".join(told)


def find(name: str) -> str | None:
    """Return the path of a program on PATH; None when there is none."""
    return shutil.which(name)


def run(
    arguments: Sequence[str],
    *,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
    directory: Path | None = None,
) -> Finished:
    """Run a program to its end; without `stdin` it has nothing to read. `timeout` is seconds.

    Raises `ProgramMissing` and `ProgramTookTooLong`; how it ended is for the caller to judge.
    """
    with _child(arguments, stdin, environment, directory) as child:
        try:
            out, err = child.communicate(_encoded(stdin), timeout)
        except subprocess.TimeoutExpired as error:
            raise _too_long(arguments, timeout) from error
        finally:
            for pipe in filter(None, (child.stdin, child.stdout, child.stderr)):
                pipe.close()
    return Finished(child.returncode, _text(out), _text(err))


@contextmanager
def stream(
    arguments: Sequence[str],
    *,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
    directory: Path | None = None,
) -> Iterator[Streaming]:
    """Run a program, and yield what it says as it says it; `timeout` is seconds for all of it.

    Leaving the block early, by Ctrl-C too, ends the program: it is interrupted and has some
    seconds to put things in order. Raises as `run` does.
    """
    with _child(arguments, stdin, environment, directory) as child:
        if child.stdin is not None:
            threading.Thread(target=_feed, args=(child.stdin, stdin), daemon=True).start()
        streaming = Streaming(iter(()))
        streaming.lines = _lines(child, streaming, arguments, timeout)
        yield streaming


@contextmanager
def _child(
    arguments: Sequence[str],
    stdin: str | None,
    environment: Mapping[str, str] | None,
    directory: Path | None,
) -> Iterator[Child]:
    """Start a child with pipes, which has ended when the block has."""
    try:
        child = subprocess.Popen(  # noqa: S603 — arguments are built by us, no shell
            arguments,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=directory,
        )
    except FileNotFoundError as error:
        name = Path(arguments[0]).name
        raise ProgramMissing(f"{name} is not installed, or not on PATH") from error
    try:
        yield child
    finally:
        _finish(child)


def _finish(child: Child) -> None:
    """End a child that still runs: politely, then less so."""
    for number, seconds in (
        (signal.SIGINT, _INTERRUPTED_SECONDS),
        (signal.SIGTERM, _ENDED_SECONDS),
    ):
        if child.poll() is not None:
            return
        child.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
    if child.poll() is None:
        child.kill()


def _lines(
    child: Child, streaming: Streaming, arguments: Sequence[str], timeout: float | None
) -> Iterator[Line]:
    """Yield what a child says on either stream, in the order in which it arrives."""
    told: queue.Queue[Line | None] = queue.Queue()
    for pipe, error in ((child.stdout, False), (child.stderr, True)):
        threading.Thread(target=_tell, args=(pipe, error, told), daemon=True).start()
    deadline = time.monotonic() + (timeout or threading.TIMEOUT_MAX)
    open_pipes = 2
    while open_pipes:
        try:
            line = told.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            if child.poll() is not None:
                break  # what it started and left behind holds the pipes, and says nothing
            if time.monotonic() > deadline:
                raise _too_long(arguments, timeout) from None
            continue
        if line is None:
            open_pipes -= 1
            continue
        streaming.remembered.append(line)
        yield line
    streaming.code = child.wait(_ENDED_SECONDS)


def _tell(pipe: IO[bytes], error: bool, told: "queue.Queue[Line | None]") -> None:  # noqa: FBT001
    with pipe:
        for raw in pipe:
            # What redraws itself does so by carriage returns; the last state counts.
            text = _COLOURS.sub("", _text(raw)).rstrip("\r\n")
            told.put(Line(text.rpartition("\r")[2], error))
    told.put(None)


def _feed(pipe: IO[bytes], text: str | None) -> None:
    with suppress(BrokenPipeError), pipe:
        pipe.write((text or "").encode())


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _too_long(arguments: Sequence[str], timeout: float | None) -> ProgramTookTooLong:
    from pointsman_cli.units import duration

    command = " ".join([Path(arguments[0]).name, *arguments[1:2]])
    return ProgramTookTooLong(f"{command} did not end within {duration(timeout)}, and was ended")


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


def is_running(pid: int) -> bool:
    """Tell whether a process that was started from here still runs.

    Not by its arguments: a process that has just begun has none yet, for a moment.
    """
    try:
        return is_alive(psutil.Process(pid))
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
