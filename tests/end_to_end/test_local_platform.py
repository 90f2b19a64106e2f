"""The tour of the README as one story, with real processes and nothing but what a user has."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman_cli import process
from tests.cli.workspace import Result, Workspace

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


class Traveller:
    """Somebody with a folder, an empty home and an empty place for temporary files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.workspace = Workspace(root / "folder")
        self._elsewhere = {
            variable: str(root / folder)
            for variable, folder in (
                ("HOME", "home"),
                ("XDG_CACHE_HOME", "home"),
                ("TMPDIR", "temporary"),
            )
        }
        for folder in self._elsewhere.values():
            Path(folder).mkdir(exist_ok=True)

    def types(self, *arguments: str | Path, code: int = 0) -> Result:
        """Type a command."""
        return self.workspace.typed(*arguments, code=code, variables=self._elsewhere)

    def reads(self, *arguments: str | Path, code: int = 0) -> Any:
        """Type a command with `--json`, and return its document."""
        return self.types(*arguments, "--json", code=code).document

    @property
    def left_elsewhere(self) -> list[str]:
        """What lies outside of the folder."""
        outside = set(self._elsewhere.values())
        return [str(path) for folder in outside for path in Path(folder).rglob("*")]

    @property
    def left_running(self) -> list[int]:
        """Which processes serve from the folder's store."""
        store = self.workspace.store.as_uri()
        return [each.pid for each in process.having("POINTSMAN_STORE", store)]


@pytest.fixture
def traveller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traveller]:
    monkeypatch.setenv("POINTSMAN_POLL_SECONDS", "0.1")
    traveller = Traveller(tmp_path)
    yield traveller
    for pid in traveller.left_running:
        os.kill(pid, 9)


def files(version: str) -> tuple[Path, str, Path]:
    return DIGITS / version / "model.onnx", "--golden", DIGITS / version / "golden.npz"


def test_the_tour(traveller: Traveller) -> None:
    published = traveller.types("upload-model", "v1", *files("v1"))
    assert "✓ published digits v1 · 2 files, 6.5 kB · " in published.err

    deployed = traveller.types("deploy", "--platform", "local", "--port", "0")
    assert "digits/production serves v1 (generation 1)" in deployed.err
    assert "golden set reproduced (16 rows)" in deployed.err
    url = deployed.out.strip()

    request = DIGITS / "request.json"
    assert json.loads(traveller.types("predict", request).out)["label"] == [2, 7]

    switched = traveller.types("upload-model", "v2", *files("v2"), "--activate")
    assert "✓ 1/1 on v2 in " in switched.err
    assert switched.err.endswith("· 0 failed requests · was v1\n")
    answer = traveller.reads("predict", request, "--url", url)
    assert (answer["model"]["version"], answer["outputs"]["label"]) == ("v2", [2, 9])

    status = traveller.reads("status")
    [instance] = status["instances"]
    assert (status["stable"]["version"], instance["serving"]) == ("v2", "v2")
    assert instance["rollback_readiness"] == "resident"
    assert status["deployment"]["url"] == url

    back = traveller.reads("rollback", "--why", "too slow")
    assert (back["from"], back["to"], back["failed_requests"]) == ("v2", "v1", 0)
    assert [each["state"] for each in back["instances"]] == ["serving"]
    history = traveller.reads("history")
    assert [each["action"] for each in history] == ["rollback", "activate", "activate"]
    assert history[0]["why"] == "too slow"

    again = traveller.types("rollback", code=1)
    assert "error: nothing to roll back to: v1 has no predecessor" in again.err
    assert traveller.reads("status")["generation"] == 3

    told = traveller.types("logs").out
    assert "serving v2 (generation 2)" in told
    assert told.index("serving v2 (generation 2)") < told.index("serving v1 (generation 3)")

    assert len(traveller.left_running) == 2
    traveller.types("destroy", "--platform", "local")
    assert traveller.left_running == []
    assert traveller.left_elsewhere == []
    assert [each["version"] for each in traveller.reads("models", "list")] == ["v1", "v2"]
