"""Finding the `pulumi` command, and explaining that there is none."""

from pathlib import Path

import pytest

from pointsman_infra.automation import command
from pointsman_infra.errors import CommandMissing


def install(root: Path, script: str = "echo v3.272.0") -> Path:
    binary = root / "bin" / "pulumi"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    return binary


def test_its_absence_is_explained_with_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(CommandMissing, match="is not installed") as caught:
        command.find({"PATH": str(tmp_path), "PULUMI_HOME": str(tmp_path / "none")})
    assert "curl -fsSL https://get.pulumi.com | sh" in caught.value.hint
    assert "--install-cli" in caught.value.hint


def test_the_one_on_path_is_used(tmp_path: Path) -> None:
    binary = install(tmp_path)
    found = command.find({"PATH": str(binary.parent)})
    assert found.command == str(binary)
    assert str(found.version) == "3.272.0"


@pytest.mark.parametrize("where", [".", "versions/3.260.0"])
def test_the_one_that_its_installer_leaves_is_found(tmp_path: Path, where: str) -> None:
    binary = install(tmp_path / where)
    found = command.find({"PATH": "", "PULUMI_HOME": str(tmp_path)})
    assert Path(found.command).samefile(binary)


def test_of_several_versions_the_newest_is_used(tmp_path: Path) -> None:
    install(tmp_path / "versions" / "3.99.0")
    newest = install(tmp_path / "versions" / "3.260.0")
    found = command.find({"PATH": "", "PULUMI_HOME": str(tmp_path)})
    assert found.command == str(newest)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo v3.100.0", "Minimum version requirement failed"),
        ("echo v4.0.0", "Major version mismatch"),
        ("exit 3", "does not start"),
    ],
)
def test_one_that_cannot_be_used_says_why(tmp_path: Path, script: str, words: str) -> None:
    binary = install(tmp_path, script)
    with pytest.raises(CommandMissing, match=words) as caught:
        command.find({"PATH": str(binary.parent)})
    assert "get.pulumi.com" in caught.value.hint
