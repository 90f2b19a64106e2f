"""`init`: files that work together, never over what is there, and workflows that can run."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman_cli.configuration import load
from pointsman_cli.platforms.fly import configuration as fly
from tests.cli.workspace import Workspace

ROOT = Path(__file__).parents[2]
PLATFORMS = ("local", "fly", "railway", "kubernetes")
WORKFLOWS = [
    (platform, name)
    for platform in PLATFORMS
    for name in ("deploy.yml", "publish.yml")
    if (platform, name) != ("local", "deploy.yml")
]


@pytest.fixture
def empty(workspace: Workspace) -> Workspace:
    """A folder with nothing in it."""
    workspace.file.unlink()
    return workspace


def workflow(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / ".github" / "workflows" / name).read_text())
    return found


def steps(folder: Path, name: str) -> list[dict[str, Any]]:
    [job] = workflow(folder, name)["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_project_begins_with_files_that_the_command_understands(
    empty: Workspace, platform: str
) -> None:
    document = empty.json("init", "My_Digits", "--platform", platform)
    own = {"fly": ["fly.toml"], "railway": ["railway.json"]}.get(platform, [])
    files = ["pointsman.toml", ".gitignore", "Dockerfile", ".dockerignore", *own]
    assert (document["model"], document["kept"]) == ("My_Digits", [])
    assert sorted(document["written"]) == sorted(files)
    configuration = load({}, {}, empty.folder).configuration
    assert (configuration.model, configuration.platform) == ("My_Digits", platform)
    staging = load({"env": "staging"}, {}, empty.folder).configuration
    assert (staging.model, staging.channel) == ("My_Digits", "staging")
    for name in files:
        assert not re.search(r"@[A-Z]+@", (empty.folder / name).read_text()), name


def test_the_app_on_fly_has_a_name_that_fly_takes_and_no_variables_that_deploy_gives(
    empty: Workspace,
) -> None:
    empty.run("init", "My_Digits", "--platform", "fly")
    file = fly.read(empty.folder / "fly.toml")
    assert file.app == "my-digits"
    assert set(file.variables) == {"PORT"}
    own, theirs = ((each / "fly.toml").read_text() for each in (ROOT, empty.folder))
    assert own.partition("[deploy]")[2] == theirs.partition("[deploy]")[2]


def test_railway_is_told_what_this_repository_tells_it(empty: Workspace) -> None:
    empty.run("init", "--platform", "railway")
    assert (empty.folder / "railway.json").read_text() == (ROOT / "railway.json").read_text()


def test_without_a_name_the_folder_s_is_taken(empty: Workspace) -> None:
    assert empty.json("init")["model"] == empty.folder.name


def test_what_is_there_stays_as_it_is(empty: Workspace) -> None:
    (empty.folder / "Dockerfile").write_text("FROM mine\n")
    (empty.folder / ".gitignore").write_text("*.pyc\n")
    first = empty.json("init", "digits")
    assert first["kept"] == ["Dockerfile"]
    assert (empty.folder / "Dockerfile").read_text() == "FROM mine\n"
    assert (empty.folder / ".gitignore").read_text().startswith("*.pyc\n")
    assert ".pointsman/" in (empty.folder / ".gitignore").read_text().splitlines()
    again = empty.json("init")
    assert (again["model"], again["written"]) == ("digits", [])


def test_a_dry_run_writes_nothing(empty: Workspace) -> None:
    told = empty.run("init", "digits", "-p", "fly", "--github", "--dry-run").out
    assert "write pointsman.toml" in told
    assert "write .github/workflows/deploy.yml" in told
    assert list(empty.folder.iterdir()) == []


def test_a_platform_or_model_that_cannot_be_is_refused(empty: Workspace) -> None:
    assert (
        "There is: fly, kubernetes, local, railway" in empty.run("init", "-p", "flyy", code=2).err
    )
    assert empty.run("init", "a b", code=2).err.startswith("error: ")
    assert list(empty.folder.iterdir()) == []


@pytest.mark.parametrize(("platform", "name"), WORKFLOWS)
def test_workflows_run_what_there_is_and_are_pinned(
    empty: Workspace, platform: str, name: str
) -> None:
    empty.run("init", "digits", "--platform", platform, "--github")
    text = (empty.folder / ".github" / "workflows" / name).read_text()
    actions = re.findall(r"uses: (\S+.*)", text)
    assert actions
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v?[\d.]+", each) for each in actions)
    assert workflow(empty.folder, name)["permissions"]["contents"] == "read"
    commands = [
        shlex.split(line)
        for step in steps(empty.folder, name)
        for line in step.get("run", "").splitlines()
        if line.startswith("pointsman ")
    ]
    assert len(commands) == 2
    for command in commands:
        exists(empty, command)


def exists(workspace: Workspace, command: list[str]) -> None:
    """Fail unless the command is there and takes these options."""
    words = [word for word in command[1:] if not word.startswith("-")]
    path = words[:2] if words[0] == "rollout" else words[:1]
    told = workspace.run(*path, "--help").out
    for option in (word for word in command if word.startswith("--")):
        assert re.search(rf"{option}\b", told), f"{' '.join(command)}: {option}"


@pytest.mark.parametrize(("platform", "name"), WORKFLOWS)
def test_a_workflow_s_secrets_are_named_above_and_reach_only_the_command(
    empty: Workspace, platform: str, name: str
) -> None:
    empty.run("init", "digits", "--platform", platform, "--github")
    text = (empty.folder / ".github" / "workflows" / name).read_text()
    header, _, body = text.partition("\nname: ")
    used = set(re.findall(r"secrets\.(\w+)", body)) - {"GITHUB_TOKEN"}
    assert used
    assert all(secret in header for secret in used)
    [job] = workflow(empty.folder, name)["jobs"].values()
    assert "env" not in job
    for step in job["steps"]:
        assert "uses" not in step or "env" not in step


def test_on_this_machine_nothing_is_deployed_from_github(empty: Workspace) -> None:
    told = empty.run("init", "digits", "--github").err
    assert [each.name for each in (empty.folder / ".github/workflows").iterdir()] == ["publish.yml"]
    assert "there is no deploy.yml" in told
    assert "`store` line in pointsman.toml" in told


def test_who_deploys_from_github_is_told_what_that_needs(empty: Workspace) -> None:
    told = empty.run("init", "digits", "-p", "fly", "--github").err
    assert "`store` line in pointsman.toml" in told
    assert "secrets" in told
    assert "no deploy.yml" not in told


def test_the_workflow_for_each_platform_has_its_token(empty: Workspace) -> None:
    empty.run("init", "digits", "--platform", "fly", "--github")
    last = steps(empty.folder, "deploy.yml")[-1]
    assert "FLY_API_TOKEN" in last["env"]
    assert "pointsman deploy --platform fly --auto-rollback" in last["run"]
