"""`models lift`, typed as an operator would."""

from pathlib import Path

import pytest

from pointsman import keys, quarantine
from pointsman.quarantine import Mark
from pointsman_cli.errors import Exit
from tests.cli.test_models_commands import Shell
from tests.versions import put


@pytest.fixture
def shell(tmp_path: Path, file_url: str) -> Shell:
    """A folder with a store in which v1 and v2 are published, and v2 is in quarantine."""
    shell = Shell(tmp_path / "folder", file_url)
    put(shell.store, "v1", {"model.onnx": b"one"})
    v2 = put(shell.store, "v2", {"model.onnx": b"two"})
    at = "2026-01-01T12:00:00+00:00"
    mark = Mark(version="v2", digest=v2.digest, by="i-1", at=at, why="all answers held NaN")
    quarantine.put(shell.store, "m", mark)
    return shell


def test_without_a_version_it_shows_what_is_in_quarantine_and_why(shell: Shell) -> None:
    shown = shell.type("models", "lift")
    assert shown.returncode == 0
    for text in ("v2", "2026-01-01 12:00", "i-1", "all answers held NaN"):
        assert text in shown.stdout
    (mark,) = shell.json("models", "lift")
    assert (mark["version"], mark["by"]) == ("v2", "i-1")


def test_it_lifts_and_says_what_to_type_next(shell: Shell) -> None:
    lifted = shell.type("models", "lift", "v2")
    assert lifted.returncode == 0
    assert "m v2 is no longer in quarantine" in lifted.stderr
    assert "pointsman activate v2" in lifted.stderr
    assert list(quarantine.marks(shell.store, "m")) == []
    assert "no version of m is in quarantine" in shell.type("models", "lift").stderr
    assert shell.json("models", "lift") == []


def test_a_dry_run_lifts_nothing(shell: Shell) -> None:
    document = shell.json("models", "lift", "v2", "--dry-run")
    assert (document["version"], document["dry_run"]) == ("v2", True)
    assert len(list(quarantine.marks(shell.store, "m"))) == 1


@pytest.mark.parametrize(
    ("version", "message"),
    [("v1", "v1 of m is not in quarantine"), ("v9", "there is no version v9 of m")],
)
def test_what_is_not_in_quarantine_cannot_be_lifted(
    shell: Shell, version: str, message: str
) -> None:
    refused = shell.type("models", "lift", version)
    assert refused.returncode == Exit.FAILED
    assert message in refused.stderr


def test_a_mark_that_cannot_be_read_can_be_lifted_all_the_same(shell: Shell) -> None:
    digest = next(iter(quarantine.marks(shell.store, "m"))).digest
    shell.store.overwrite(keys.quarantine("m", digest.removeprefix("sha256:")), b"rubbish")
    assert shell.type("models", "lift", "v2").returncode == 0
    assert quarantine.find(shell.store, "m", digest) is None
