"""The three voices: data on stdout, the story on stderr, one document for machines."""

import json
import subprocess

import pytest

from pointsman.errors import PointsmanError
from pointsman_cli.errors import CommandError
from pointsman_cli.output import Output, Seldom
from pointsman_cli.table import rendered
from tests.cli.workspace import MODEL, SCRIPT, Workspace


def speak(output: Output) -> None:
    output.step("working")
    output.success("done")
    output.warn("mind the gap")
    output.result({"answer": 42})
    output.data("42")
    output.table(["a", "b"], [["1", "2"]])


def test_people_read_data_on_stdout_and_the_story_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    speak(Output())
    out, err = capsys.readouterr()
    assert out == "42\na  b\n1  2\n"
    assert err == "working\n✓ done\n! mind the gap\n"


def test_machines_read_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    speak(Output(as_json=True))
    out, err = capsys.readouterr()
    assert json.loads(out) == {"answer": 42}
    assert err == "! mind the gap\n"


def test_quiet_leaves_data_and_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    speak(Output(quiet=True))
    out, err = capsys.readouterr()
    assert out == "42\na  b\n1  2\n"
    assert err == "! mind the gap\n"


def test_a_failure_is_a_sentence_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    Output().error(PointsmanError("it broke", "Mend it."))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: it broke\n       Mend it.\n"


def test_a_failure_is_a_document_too_with_all_that_was_achieved(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = CommandError("it broke", "Mend it.", {"generation": 2})
    Output(as_json=True).error(error, {"published": "v2"})
    assert json.loads(capsys.readouterr().out) == {
        "published": "v2",
        "generation": 2,
        "error": "it broke",
        "hint": "Mend it.",
    }


def test_a_second_document_is_never_given(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=True)
    output.result({"done": True})
    output.error(PointsmanError("interrupted"))
    assert json.loads(capsys.readouterr().out) == {"done": True}


def test_what_others_wrote_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    output.warn("\x1b]0;owned\x07")
    output.data("\x1b[2J")
    output.table(["note"], [["\x1b[31mred"]])
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert r"\x1b[31mred" in out


def test_square_brackets_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    output.warn("[bold]not bold[/bold]")
    output.table(["[red]"], [["[blue]"]])
    out, err = capsys.readouterr()
    assert "[bold]not bold[/bold]" in err
    assert "[blue]" in out


def test_a_table_in_a_pipe_is_as_wide_as_it_needs_to_be() -> None:
    wide = "x" * 500
    assert rendered(["a", "b"], [[wide, "end"]]).splitlines()[1] == f"{wide}  end"


def test_a_table_without_columns_has_no_header() -> None:
    assert rendered([], [["digest", "sha256:1"], ["note", "first\nsecond"]]) == (
        "digest  sha256:1\nnote    first\n        second"
    )


def test_an_empty_table_is_its_header() -> None:
    assert rendered(["a", "b"], []) == "a  b"


def test_on_a_terminal_there_are_colours(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    assert "\x1b[1m" in listed.on_terminal("history")


def test_no_color_is_obeyed(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    assert "\x1b" not in listed.on_terminal("history", variables={"NO_COLOR": "1"})


def test_a_narrow_terminal_loses_nothing_of_a_table(listed: Workspace) -> None:
    why = "because it was " + "very " * 30 + "good"
    listed.registry.activate(MODEL, "v1", why=why, by="somebody@somewhere")
    shown = listed.on_terminal("history", variables={"NO_COLOR": "1", "COLUMNS": "60"})
    assert max(map(len, shown.splitlines())) <= 60
    assert shown.count("very") == 30


def test_a_reader_who_has_seen_enough_is_nobodys_failure(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    command = f"{SCRIPT} history | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", command], cwd=listed.folder, capture_output=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_closed_streams_are_no_failure(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    ended = subprocess.run(
        ["bash", "-c", f"{SCRIPT} activate v2 >&- 2>&-"], cwd=listed.folder, check=False
    )
    assert ended.returncode == 0
    assert listed.registry.channel(MODEL, "production").stable.version == "v2"


def test_a_log_hears_of_a_long_wait_every_half_minute() -> None:
    now, told = [0.0], list[str]()
    tell = Seldom(told.append, clock=lambda: now[0])
    for second in range(100):
        now[0] = float(second)
        tell(f"{second} of 100")
    assert told == ["30 of 100", "60 of 100", "90 of 100"]
