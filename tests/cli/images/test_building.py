"""`build` and `push`: what an engine is told, and what its refusals become."""

import os
import re
from pathlib import Path

import pytest

from tests.cli.images.conftest import REPOSITORY
from tests.cli.workspace import Workspace
from tests.fakes import container_engine
from tests.fakes.container_engine import ContainerEngine

GOLDEN = Path(__file__).parent / "golden"
SECRET = "hunter2"  # noqa: S105 — nobody's


def told(engine: ContainerEngine) -> str:
    """Return every command line, with what differs from run to run replaced."""
    lines = []
    for call in engine.calls:
        variables = "".join(f"{name}={value} " for name, value in call["environment"].items())
        lines.append(variables + " ".join([engine.name, *call["arguments"]]))
    text = re.sub(r"/\S*pointsman-image-\w+", "CONTEXT", "\n".join(lines) + "\n")
    text = re.sub(r"pointsman\.content=\w{64}", "pointsman.content=CONTENT", text)
    text = re.sub(r"onnxruntime=[\d.]+", "onnxruntime=VERSION", text)
    text = re.sub(r"image\.version=\S+", "image.version=VERSION", text)
    return re.sub(r":[0-9a-f]{12}\b", ":TAG", text)


def compare(name: str, text: str) -> None:
    """Compare with a golden file; WRITE_GOLDEN=write makes it anew."""
    if os.environ.get("WRITE_GOLDEN") == "write":
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "POINTSMAN_RUNTIME_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, SECRET)


def test_an_engine_is_told_to_build_and_push_and_no_secret(
    project: Workspace, engine: ContainerEngine
) -> None:
    with project.file.open("a") as file:
        file.write('network = "host"\nbase = "mirror.example.com/python:3.13-slim"\n')
    document = project.json("build", "--push")
    assert document["image"].startswith("pointsman-service:")
    assert document["pushed"].startswith(f"{REPOSITORY}@sha256:")
    assert document["built"] is True
    assert SECRET not in told(engine)
    compare("docker.txt", told(engine))


def test_buildx_is_used_where_it_is(project: Workspace, engine: ContainerEngine) -> None:
    engine.knobs(buildx=True)
    project.run("build")
    compare("buildx.txt", told(engine))


def test_podman_is_used_where_there_is_no_docker(
    project: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    podman = container_engine.install(tmp_path / "podman", "podman")
    monkeypatch.setenv("PATH", f"{podman.programs}{os.pathsep}/nonexistent")
    project.run("build")
    compare("podman.txt", told(podman))


def test_what_is_there_is_not_built_again(project: Workspace, engine: ContainerEngine) -> None:
    first = project.json("build")
    again = project.run("build")
    assert again.out.strip() == first["image"]
    assert "nothing has changed" in again.err
    assert [call["arguments"][0] for call in engine.calls].count("build") == 1
    assert project.json("build", "--again")["built"] is True


def test_pushing_gives_a_reference_that_cannot_move(
    project: Workspace, engine: ContainerEngine
) -> None:
    assert re.fullmatch(rf"{REPOSITORY}@sha256:\w{{64}}\n", project.run("push").out)


def test_without_a_repository_there_is_nowhere_to_push_to(
    workspace: Workspace, engine: ContainerEngine
) -> None:
    for command in (("push",), ("build", "--push")):
        result = workspace.run(*command, code=2)
        assert "nowhere to push" in result.err
        assert "[image]" in result.err
    assert engine.calls == []


REFUSALS = [
    ({"down": True}, "docker is installed, but its engine is not running: Cannot connect", "Start"),
    (
        {"refuse": {"version": "permission denied while trying to connect"}},
        "you may not use docker",
        "usermod",
    ),
    (
        {"refuse": {"push": "denied: requested access to the resource is denied"}},
        f"registry.example.com refuses the push of {REPOSITORY}",
        "`docker login registry.example.com`",
    ),
    (
        {"refuse": {"push": 'error parsing HTTP 403 response body: unexpected end: ""'}},
        f"registry.example.com refuses the push of {REPOSITORY}",
        "`docker login registry.example.com`",
    ),
    (
        {"refuse": {"push": "received unexpected HTTP status: 500 Internal Server Error"}},
        "failed: received unexpected HTTP status: 500",
        "whoever runs registry.example.com",
    ),
    (
        {"refuse": {"push": "dial tcp: lookup registry.example.com: no such host"}},
        "registry.example.com cannot be reached to push",
        "Is the name of the registry right",
    ),
    (
        {"refuse": {"build": "pull access denied for python, repository does not exist"}},
        "the image was not built: its base cannot be had",
        "[image] base",
    ),
    (
        {"refuse": {"build": "write /x: no space left on device"}},
        "the disk is full",
        "`docker system prune`",
    ),
    (
        {"refuse": {"build": "exec /bin/sh: exec format error"}},
        "cannot run programs of that architecture",
        "QEMU",
    ),
    (
        {"refuse": {"build": "Temporary failure in name resolution"}},
        "the network was out of reach",
        'network = "host"',
    ),
    (
        {
            "refuse": {
                "build": "\x1b[91mE: no candidate\nTemporary failure resolving 'x'\x1b[0m\n\x1b[0m"
            }
        },
        "the network was out of reach: Temporary failure resolving 'x'\n",
        'network = "host"',
    ),
    ({"refuse": {"build": "E: broken\nThe command returned 1"}}, "the image was not built", ""),
]


@pytest.mark.parametrize(("knobs", "says", "advises"), REFUSALS, ids=[each[1] for each in REFUSALS])
def test_a_refusal_says_what_happened_and_what_to_type(
    project: Workspace, engine: ContainerEngine, knobs: dict[str, object], says: str, advises: str
) -> None:
    engine.knobs(**knobs)
    result = project.run("build", "--push", code=1)
    assert says in result.err
    assert advises in result.err


def test_without_an_engine_it_says_which_to_install(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    result = project.run("build", code=1)
    assert "a container engine (docker or podman) is needed, and not installed" in result.err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('engine = "rkt"', "image.engine cannot be 'rkt'"),
        ('platform = "linux/riscv"', "image.platform cannot be 'linux/riscv'"),
        ('engnie = "docker"', "there is no key image.engnie"),
        ("include = 3", "image.include: expected `array`"),
    ],
)
def test_a_wrong_setting_is_named(
    project: Workspace, engine: ContainerEngine, line: str, says: str
) -> None:
    with project.file.open("a") as file:
        file.write(line + "\n")
    assert says in project.run("build", code=2).err


@pytest.mark.parametrize("name", ["ghcr.io/me/digits:1", "ghcr.io/Me/digits", "https://ghcr.io/me"])
def test_what_is_no_repository_is_said_before_anything_is_built(
    workspace: Workspace, engine: ContainerEngine, name: str
) -> None:
    workspace.file.write_text(f'model = "digits"\n[image]\nrepository = "{name}"\n')
    for command in (("push",), ("build", "--push")):
        result = workspace.run(*command, code=2)
        assert f"image.repository is no repository of images: '{name}'" in result.err
        assert "without a tag" in result.err
    assert engine.calls == []


def test_an_engine_that_is_asked_for_has_to_be_there(
    project: Workspace, engine: ContainerEngine
) -> None:
    with project.file.open("a") as file:
        file.write('engine = "podman"\n')
    result = project.run("build", code=1)
    assert "podman is not installed, and engine under [image] asks for it" in result.err
    assert "take that line out" in result.err
