"""A folder in which somebody types `pointsman …`.

`run` does it in this process, through the function that the installed script calls; `typed`,
`start` and `on_terminal` start the script, for what only a process of its own can show.
"""

import contextlib
import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pointsman
from pointsman.registry import Registry
from pointsman_cli.main import run

SCRIPT = str(Path(sys.executable).with_name("pointsman"))
MODEL = "digits"
_SECONDS = 240.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one document on stdout; fails when there is another text, or none."""
        return json.loads(self.out)


class Workspace:
    """A folder with a `pointsman.toml` that names the model; its store is the embedded one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "pointsman.toml"
        self.file.write_text(f'model = "{MODEL}"\n')
        self.store = folder / ".pointsman" / "store"

    @property
    def registry(self) -> Registry:
        """What is in the store, past the command."""
        return pointsman.open(self.store.as_uri())

    def run(self, *arguments: str | Path, stdin: bytes = b"", code: int = 0) -> Result:
        """Run the command; fails when it ends with another exit code."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(self.folder), _streams(stdin, out, err):
            ended = run(list(map(str, arguments)))
        result = Result(ended, out.getvalue(), err.getvalue())
        assert result.code == code, f"exit code {result.code}:\n{result.out}\n{result.err}"
        return result

    def json(self, *arguments: str | Path, code: int = 0) -> Any:
        """Run the command with `--json`; return its document."""
        return self.run(*arguments, "--json", code=code).document

    def typed(
        self,
        *arguments: str | Path,
        code: int = 0,
        variables: Mapping[str, str] | None = None,
        seconds: float = _SECONDS,
    ) -> Result:
        """Run the installed script as a process; fails when it ends with another exit code."""
        with self.start(*arguments, variables=variables) as process:
            out, err = process.communicate(timeout=seconds)
        assert process.returncode == code, f"exit code {process.returncode}:\n{out}\n{err}"
        return Result(process.returncode, out, err)

    @contextmanager
    def start(
        self,
        *arguments: str | Path,
        variables: Mapping[str, str] | None = None,
        out: Path | None = None,
    ) -> Iterator[subprocess.Popen[str]]:
        """Start the command as a process, which is gone when the block ends.

        With `out`, its data goes into that file.
        """
        data = out.open("w") if out else None
        # A shell's background ignores Ctrl-C, and children inherit that; a handler they do not.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            process = subprocess.Popen(
                [SCRIPT, *map(str, arguments)],
                cwd=self.folder,
                env=os.environ | dict(variables or {}),
                stdin=subprocess.DEVNULL,
                stdout=data or subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        finally:
            if data:
                data.close()
            signal.signal(signal.SIGINT, before)
        with process:
            try:
                yield process
            finally:
                process.kill()

    def on_terminal(
        self, *arguments: str | Path, variables: Mapping[str, str] | None = None
    ) -> str:
        """Run the command on a terminal 100 columns wide; return all that was written to it."""
        ours, theirs = pty.openpty()
        environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
        environment |= dict(variables or {})
        with subprocess.Popen(
            [SCRIPT, *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        ):
            os.close(theirs)
            written = b"".join(_until_closed(ours))
        os.close(ours)
        return written.decode()

    def objects(self) -> dict[str, bytes]:
        """Return every object in the store with its bytes."""
        return {
            path.relative_to(self.store).as_posix(): path.read_bytes()
            for path in self.store.rglob("*")
            if path.is_file() and ".pointsman" not in path.relative_to(self.store).parts
        }


def until(condition: Callable[[], object], what: str, seconds: float = _SECONDS) -> None:
    """Return once `condition` holds; fails when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _streams(stdin: bytes, out: io.StringIO, err: io.StringIO) -> Iterator[None]:
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin))
    try:
        with redirect_stdout(out), redirect_stderr(err):
            yield
    finally:
        sys.stdin = before


def _until_closed(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(descriptor, 65536)
        except OSError:  # how Linux says that nobody has the other end any more
            return
        if not data:
            return
        yield data
