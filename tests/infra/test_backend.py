"""Where state is kept: the user's place if there is one, else a closed directory of ours."""

import json
import os
import stat
from pathlib import Path

import pytest

from pointsman_infra.automation import backend
from pointsman_infra.errors import StateUnusable


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".pointsman" / "infra"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_asked_for_beats_all_else(tmp_path: Path, state: Path) -> None:
    environment = {"PULUMI_BACKEND_URL": "s3://theirs"}
    assert backend.find("s3://asked", environment, tmp_path, state).url == "s3://asked"
    assert backend.find("", environment, tmp_path, state).url == "s3://theirs"


def test_a_project_may_name_its_backend(tmp_path: Path, state: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: x\nbackend:\n  url: s3://team\n")
    found = backend.find("", {}, tmp_path, state)
    assert found.source == "Pulumi.yaml"
    assert found.environment() == {}, "the engine reads the project file itself"


def test_a_login_is_used(tmp_path: Path, state: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "credentials.json").write_text(json.dumps({"current": "https://api.pulumi.com"}))
    found = backend.find("", {"PULUMI_HOME": str(home)}, tmp_path, state)
    assert (found.url, found.source) == ("https://api.pulumi.com", "pulumi login")
    assert found.passphrase_file is None


def test_without_any_the_state_lies_in_a_closed_directory(tmp_path: Path, state: Path) -> None:
    found = backend.find("", os.environ, tmp_path, state)
    assert backend.prepare(found, state, os.environ), "a passphrase was made"
    assert found.url == (state / "state").as_uri()
    assert mode(state) == mode(state / "state") == 0o700
    assert (state / ".gitignore").read_text() == "*\n"


def test_the_passphrase_is_for_its_owner_only_and_made_once(tmp_path: Path, state: Path) -> None:
    found = backend.find("", os.environ, tmp_path, state)
    backend.prepare(found, state, os.environ)
    file = state / "passphrase"
    first = file.read_text()
    assert mode(file) == 0o600
    assert len(first) > 30
    assert not backend.prepare(found, state, os.environ)
    assert file.read_text() == first
    assert found.environment()["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(file)


def test_a_passphrase_in_the_environment_is_used_instead(tmp_path: Path, state: Path) -> None:
    environment = {"PULUMI_CONFIG_PASSPHRASE": "hush", "PULUMI_HOME": str(tmp_path)}
    found = backend.find("", environment, tmp_path, state)
    assert not backend.prepare(found, state, environment)
    assert not (state / "passphrase").exists()


def test_a_bucket_as_backend_needs_a_passphrase(tmp_path: Path, state: Path) -> None:
    found = backend.find("s3://team-state", {}, tmp_path, state)
    with pytest.raises(StateUnusable, match="there is no passphrase") as caught:
        backend.prepare(found, state, {})
    assert "PULUMI_CONFIG_PASSPHRASE" in caught.value.hint
    assert not backend.prepare(found, state, {"PULUMI_CONFIG_PASSPHRASE": "hush"})


def test_a_broken_project_file_is_named(tmp_path: Path, state: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: [")
    with pytest.raises(StateUnusable, match=r"Pulumi\.yaml cannot be read"):
        backend.find("", {}, tmp_path, state)
