"""Programs that are started: asked, listened to, and ended."""

import os
import signal
import sys

import psutil
import pytest

from pointsman_cli import process
from pointsman_cli.process import Line, ProgramMissing, ProgramTookTooLong


def script(text: str) -> list[str]:
    return [sys.executable, "-u", "-c", text]


def test_a_program_is_run_to_its_end_and_told_what_it_reads() -> None:
    text = "import sys; print(sys.stdin.read()[::-1]); print('oh', file=sys.stderr); sys.exit(3)"
    ended = process.run(script(text), stdin="abc")
    assert (ended.code, ended.stdout, ended.stderr, ended.ok) == (3, "cba\n", "oh\n", False)


def test_without_input_there_is_nothing_to_read() -> None:
    assert process.run(script("import sys; print(repr(sys.stdin.read()))")).stdout == "''\n"


def test_the_environment_is_the_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_KEY", "hunter2")
    text = "import os; print(os.environ.get('OWN_KEY'), os.environ.get('OTHER'))"
    assert process.run(script(text), environment={"OTHER": "1"}).stdout == "None 1\n"


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ProgramMissing, match="no-such-program is not installed"):
        process.run(["no-such-program", "--token"])


def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(ProgramTookTooLong, match="did not end within 200 ms"):
        process.run(script("import time; time.sleep(600)"), timeout=0.2)
    assert not sleepers()


def test_lines_come_as_they_are_said_on_either_stream() -> None:
    text = (
        "import sys; print('one'); sys.stdin.readline(); print('two', file=sys.stderr);"
        "print('10%\\r20%\\rdone'); sys.exit(7)"
    )
    with process.stream(script(text), stdin="go\n") as streaming:
        said = list(streaming.lines)
    assert said.index(Line("one")) < said.index(Line("done"))
    assert set(said) == {Line("one"), Line("two", error=True), Line("done")}
    assert streaming.code == 7
    assert streaming.said(errors_only=True) == "two"


def test_leaving_early_interrupts_the_program_and_lets_it_put_things_in_order() -> None:
    text = (
        "import signal, sys, time\n"
        "def end(*_): print('in order'); sys.exit(0)\n"
        "signal.signal(signal.SIGINT, end)\nprint('ready')\ntime.sleep(600)"
    )
    with process.stream(script(text)) as streaming:
        assert next(streaming.lines) == Line("ready")
        assert sleepers()
    assert not sleepers()


def test_a_stream_that_takes_too_long_is_ended() -> None:
    with (
        pytest.raises(ProgramTookTooLong),
        process.stream(script("import time; time.sleep(600)"), timeout=0.2) as streaming,
    ):
        list(streaming.lines)
    assert not sleepers()


def test_what_a_program_leaves_behind_does_not_keep_its_stream_open() -> None:
    text = (
        "import subprocess, sys\n"
        "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(left.pid)"
    )
    with process.stream(script(text)) as streaming:
        pid = int(next(streaming.lines).text)
        assert list(streaming.lines) == []
    os.kill(pid, signal.SIGKILL)
    assert streaming.code == 0


def sleepers() -> list[psutil.Process]:
    """Return the children that were started here to sleep, and still do."""
    return [each for each in psutil.Process().children() if sleeps(each)]


def sleeps(child: psutil.Process) -> bool:
    try:
        return "time.sleep(600)" in " ".join(child.cmdline())
    except psutil.Error:
        return False  # it has ended


def test_a_long_input_does_not_stand_in_the_way_of_output() -> None:
    text = "import sys\nfor line in sys.stdin: print(line, end='')"
    lines = "".join(f"{number} {'x' * 200}\n" for number in range(5000))
    with process.stream(script(text), stdin=lines, timeout=60) as streaming:
        assert len(list(streaming.lines)) == 5000
