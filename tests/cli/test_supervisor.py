"""The supervisor: who is started again, who is not, and how both come to an end.

The service is another one: a package of its name that comes first on the path, and does in turn
what a file says.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from pointsman_cli.platforms import record as records
from pointsman_cli.platforms.record import SUPERVISOR, Record
from tests.cli.workspace import until

INSTANCE = "local-tested"
SERVICE = """
import os, signal, sys, time
from pathlib import Path

folder = Path(os.environ["TESTED"])
turns = (folder / "turns").read_text().split()
started = folder / "started"
number = int(started.read_text()) if started.exists() else 0
turn = turns[min(number, len(turns) - 1)]

def told_to_end(*_):
    (folder / "drained").write_text("")
    sys.exit(0)

signal.signal(signal.SIGTERM, told_to_end)
started.write_text(str(number + 1))
if turn == "dies":
    os.kill(os.getpid(), signal.SIGKILL)
if turn == "runs":
    while True:
        time.sleep(0.05)
sys.exit(int(turn))
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A folder for the record and the service's turns."""

    folder: Path

    def starts(self) -> int:
        """How often the service was started."""
        path = self.folder / "started"
        return int(path.read_text() or 0) if path.exists() else 0

    @contextmanager
    def supervising(self, *turns: str, instance: str = INSTANCE) -> Iterator[subprocess.Popen[str]]:
        """Run a supervisor over a service that takes these turns, and keeps to the last one."""
        (self.folder / "turns").write_text(" ".join(turns))
        path = os.pathsep.join([str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        with subprocess.Popen(
            [sys.executable, "-m", SUPERVISOR, str(self.folder), instance],
            env=os.environ
            | {"TESTED": str(self.folder), "PYTHONPATH": path, "POINTSMAN_INSTANCE": instance},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):  # it ended, and its service before it
                    os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    package = tmp_path / "pointsman_service"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(SERVICE)
    records.write(
        tmp_path, Record(instance=INSTANCE, url="http://x", host="x", port=1, store="file:///x")
    )
    return Stage(tmp_path)


def test_it_is_found_by_what_it_was_started_with(stage: Stage) -> None:
    with stage.supervising("runs") as process:
        until(stage.starts, "the service is started")
        running = records.running(stage.folder)
        assert running is not None
        assert running.supervisor is not None
        assert running.pid == running.supervisor.pid == process.pid
        assert len(running.processes) == 2
    until(lambda: records.running(stage.folder) is None, "the killed are gone")


def test_a_service_that_dies_is_started_again(stage: Stage) -> None:
    with stage.supervising("dies", "dies", "runs") as process:
        until(lambda: stage.starts() == 3, "the service is started for the third time")
        process.terminate()
        assert process.wait(240) == 0
        assert process.stderr is not None
        said = process.stderr.read()
    assert "the service died (-9); starting it again in 0.5 s" in said
    assert "starting it again in 1 s" in said


@pytest.mark.parametrize("code", ["0", "1", "2"])
def test_a_service_that_ends_or_never_gets_started_is_left(stage: Stage, code: str) -> None:
    with stage.supervising(code) as process:
        assert process.wait(240) == int(code)
    assert stage.starts() == 1


def test_the_signal_to_end_is_passed_on(stage: Stage) -> None:
    with stage.supervising("runs") as process:
        until(stage.starts, "the service is started")
        process.terminate()
        assert process.wait(240) == 0
    assert (stage.folder / "drained").exists()


def test_between_two_starts_the_signal_ends_it(stage: Stage) -> None:
    with stage.supervising("dies") as process:
        assert process.stderr is not None
        assert "died" in process.stderr.readline()
        process.terminate()
        assert process.wait(240) == 0


def test_a_deployment_that_was_replaced_before_it_began_does_not_begin(stage: Stage) -> None:
    with stage.supervising("runs", instance="local-replaced") as process:
        assert process.wait(240) == 0
    assert stage.starts() == 0


def test_a_deployment_that_was_destroyed_before_it_began_does_not_begin(stage: Stage) -> None:
    records.forget(stage.folder)
    with stage.supervising("runs") as process:
        assert process.wait(240) == 0
    assert (stage.starts(), records.read(stage.folder)) == (0, None)
