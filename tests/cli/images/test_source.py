"""What an image is made from: the installed code and nothing of the project, named by content."""

from pathlib import Path

import pytest

from pointsman_cli.configuration import Project, load
from pointsman_cli.errors import UsageError
from pointsman_cli.images import source as sources
from pointsman_cli.images.source import Source

ROOT = Path(__file__).parents[3]


def project(folder: Path, image: str = "") -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pointsman.toml").write_text(f'model = "digits"\n[image]\n{image}\n')
    return load({}, {}, folder)


def laid_out(project: Project, to: Path) -> Source:
    to.mkdir()
    return sources.lay_out(project, to)


def names(source: Source) -> set[str]:
    files = (path for path in source.directory.rglob("*") if path.is_file())
    return {path.relative_to(source.directory).as_posix() for path in files}


def test_it_is_the_installed_code_with_its_lock_and_nothing_else(tmp_path: Path) -> None:
    here = project(tmp_path / "project")
    for secret in (".env", ".env.production", "model.onnx", "key.pem"):
        (here.directory / secret).write_text("hunter2")
    source = laid_out(here, tmp_path / "to")
    found = names(source)
    assert {"Dockerfile", ".dockerignore", sources.LOCK} <= found
    assert "registry/pointsman/registry.py" in found
    rest = {name for name in found if not name.startswith(("registry/pointsman/", "service/"))}
    assert rest == {"Dockerfile", ".dockerignore"}
    assert not [name for name in found if "__pycache__" in name or ".env" in name]
    assert source.locked("onnxruntime")
    assert source.locked("no-such-package") == ""


def test_the_same_content_has_the_same_name_wherever_it_lies(tmp_path: Path) -> None:
    first = laid_out(project(tmp_path / "a"), tmp_path / "one")
    second = laid_out(project(tmp_path / "b"), tmp_path / "two")
    assert first.content == second.content
    assert len(first.tag) == 12


@pytest.mark.parametrize(
    "image", ['base = "mirror/python:3.13-slim"', 'platform = "linux/arm64"', 'include = ["more"]']
)
def test_whatever_changes_the_image_changes_its_name(tmp_path: Path, image: str) -> None:
    plain = laid_out(project(tmp_path / "a"), tmp_path / "one")
    other = project(tmp_path / "b", image)
    (other.directory / "more").write_text("x")
    assert laid_out(other, tmp_path / "two").content != plain.content


def test_a_dockerfile_of_the_project_is_used(tmp_path: Path) -> None:
    here = project(tmp_path / "project")
    (here.directory / "Dockerfile").write_text("FROM mine\nRUN python -m pointsman_service\n")
    source = laid_out(here, tmp_path / "to")
    assert (source.directory / "Dockerfile").read_text().startswith("FROM mine")


def test_a_dockerfile_of_something_else_is_refused(tmp_path: Path) -> None:
    here = project(tmp_path / "project")
    (here.directory / "Dockerfile").write_text("FROM nginx\n")
    with pytest.raises(UsageError, match="builds something else than the service") as caught:
        laid_out(here, tmp_path / "to")
    assert 'dockerfile = "Dockerfile.pointsman"' in caught.value.hint


def test_what_is_included_is_sent_but_for_secrets(tmp_path: Path) -> None:
    here = project(tmp_path / "project", 'include = ["extra", "one.txt"]')
    (here.directory / "extra").mkdir()
    for name in ("extra/code.py", "extra/.env", "one.txt"):
        (here.directory / name).write_text("x")
    source = laid_out(here, tmp_path / "to")
    assert {"extra/code.py", "one.txt"} <= names(source)
    assert "extra/.env" not in names(source)
    rules = (source.directory / ".dockerignore").read_text().splitlines()
    assert {"!extra", "!one.txt"} <= set(rules)
    assert rules.index("!extra") > rules.index("*")
    assert rules[-1] == "**/.env*"


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "missing"])
def test_nothing_outside_of_the_project_is_included(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_text("x")
    here = project(tmp_path / "project", f'include = ["{name}"]')
    with pytest.raises(UsageError, match="is not in"):
        laid_out(here, tmp_path / "to")


@pytest.mark.parametrize(
    ("template", "own"), [("Dockerfile",) * 2, ("dockerignore", ".dockerignore")]
)
def test_what_the_command_brings_along_is_what_this_repository_uses(
    template: str, own: str
) -> None:
    brought = ROOT / "cli" / "pointsman_cli" / "templates" / template
    assert brought.read_bytes() == (ROOT / own).read_bytes()
