"""Help: complete, quick, and the same words everywhere."""

import re
import subprocess
import sys

import pytest

from tests.cli.workspace import SCRIPT, Workspace

COMMANDS = """\
Commands:
  init          Begin a project in this folder.
  upload-model  Publish a model as an immutable version.
  activate      Make a version serve, on every instance.
  rollback      Go back to the version that served before.
  history       List what the channel named, newest first.
  status        Show the channel, every instance, and the deployment.
  predict       Send one prediction request.
  build         Build the image of the service, without any model.
  push          Push the image to its registry.
  deploy        Run the service, and prove that it serves.
  logs          Print the service's log.
  destroy       End the service in good order.
  serve         Run the service in the foreground, until Ctrl-C.
  doctor        Check the store: reach, clock, reading, conditional writes.
  models        What there is to serve.
  rollout       Give a version some of the requests, then more.
  keys          Keys that sign versions and channels.
"""
GROUPS = {
    "rollout": ("start", "set", "promote", "abort", "shadow", "auto", "status"),
    "models": ("list", "show", "diff", "pull", "promote", "verify", "prune", "lift"),
    "keys": ("new", "public"),
}
ALL = [
    *(line.split()[0] for line in COMMANDS.splitlines()[1:] if line.split()[0] not in GROUPS),
    *(f"{group} {command}" for group, commands in GROUPS.items() for command in commands),
]
COMMON = ("--store URL", "--model NAME", "--channel NAME", "--json", "--quiet", "--debug")


def test_help_lists_every_command(workspace: Workspace) -> None:
    assert COMMANDS in workspace.run("--help").out


@pytest.mark.parametrize("arguments", [[], ["-h"]])
def test_who_types_nothing_gets_help_too(workspace: Workspace, arguments: list[str]) -> None:
    assert workspace.run(*arguments).out == workspace.run("--help").out


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_without_a_command_explains_itself(workspace: Workspace, group: str) -> None:
    commands = workspace.run(group).out.partition("Commands:")[2]
    assert re.findall(r"^  (\w+)  ", commands, re.MULTILINE) == list(GROUPS[group])


@pytest.mark.parametrize("command", ALL)
def test_every_command_has_the_common_options(workspace: Workspace, command: str) -> None:
    shown = workspace.run(*command.split(), "--help").out
    assert all(option in shown for option in COMMON)


@pytest.mark.parametrize("command", ALL)
def test_every_option_says_what_it_takes_in_capitals(workspace: Workspace, command: str) -> None:
    shown = workspace.run(*command.split(), "--help").out
    assert not re.search(r"^  -.*<\w+", shown, re.MULTILINE)


@pytest.mark.parametrize(
    "command",
    [
        "activate",
        "rollback",
        "rollout start",
        "rollout set",
        "rollout promote",
        "rollout abort",
        "rollout shadow",
        "upload-model",
        "deploy",
        "destroy",
        "models prune",
    ],
)
def test_what_changes_the_world_can_be_planned(workspace: Workspace, command: str) -> None:
    assert "--dry-run" in workspace.run(*command.split(), "--help").out


def test_the_version_is_told(workspace: Workspace) -> None:
    assert re.fullmatch(r"pointsman \d+\.\d+\.\d+\n", workspace.run("--version").out)


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from pointsman_cli.main import run; run(['activate', '--help']);"
        "heavy = {'rich', 'msgspec', 'httpx', 'numpy', 'obstore', 'psutil', 'pointsman'};"
        "sys.exit(str(heavy & sys.modules.keys()) if heavy & sys.modules.keys() else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_mistyped_command_gets_a_suggestion(workspace: Workspace) -> None:
    told = workspace.run("activat", "v1", code=2).err
    assert "Did you mean 'activate'?" in told
    assert "`pointsman --help` shows what it takes." in told


@pytest.mark.parametrize(
    "arguments",
    [["activate"], ["activate", "v1", "v2"], ["status", "--nope"], ["deploy", "--port", "x"]],
)
def test_a_wrong_command_line_is_one_sentence_and_one_document(
    workspace: Workspace, arguments: list[str]
) -> None:
    result = workspace.run(*arguments, "--json", code=2)
    assert result.document["error"] in result.err
    assert f"`pointsman {arguments[0]} --help`" in result.document["hint"]


def test_a_traceback_is_for_those_who_ask(workspace: Workspace) -> None:
    assert "Traceback" not in workspace.run("status", "--store", "foo://bar", code=5).err
    assert "Traceback" in workspace.run("status", "--store", "foo://bar", "--debug", code=5).err


def test_the_installed_script_ends_with_the_code() -> None:
    ended = subprocess.run([SCRIPT, "nope"], capture_output=True, check=False)
    assert ended.returncode == 2
    assert ended.stdout == b""
