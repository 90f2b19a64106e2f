"""The tour of the README as one story: every command, a real store, a real process."""

import shutil
from pathlib import Path

import httpx
import psutil

from tests.cli.workspace import Workspace

DIGITS = Path(__file__).parent.parent.parent / "examples" / "digits"


def test_the_tour(tmp_path: Path) -> None:
    operator = Workspace(tmp_path / "project")
    try:
        _publish_and_deploy(operator)
        _switch_and_return(operator)
        _look_around(operator)
    finally:
        operator.run("destroy", "--platform", "local")
    assert [path.name for path in tmp_path.iterdir()] == ["project"]
    assert {path.name for path in operator.folder.iterdir()} == {".pointsman", "pointsman.toml"}


def _publish_and_deploy(operator: Workspace) -> None:
    published = operator.run(*_upload("v1"))
    assert "published digits v1" in published.err
    deployed = operator.json("deploy", "--platform", "local", "--port", "0")
    assert (deployed["version"], deployed["generation"], deployed["golden_rows"]) == ("v1", 1, 16)
    predicted = operator.json("predict", DIGITS / "request.json")
    assert predicted["outputs"]["label"] == [2, 7]
    assert predicted["model"]["version"] == "v1"


def _switch_and_return(operator: Workspace) -> None:
    switched = operator.json(*_upload("v2"), "--activate", "--why", "more accurate")
    assert (switched["from"], switched["to"], switched["failed_requests"]) == ("v1", "v2", 0)
    assert operator.json("predict", DIGITS / "request.json")["outputs"]["label"] == [2, 9]
    returned = operator.run("rollback")
    assert "1/1 on v1 in" in returned.err
    assert "0 failed requests · was v2" in returned.err
    nowhere = operator.json("rollback", code=1)
    assert "nothing to roll back to" in nowhere["error"]


def _look_around(operator: Workspace) -> None:
    status = operator.json("status")
    [instance] = status["instances"]
    assert (instance["serving"], instance["live"], status["generation"]) == ("v1", True, 3)
    changes = operator.json("history")
    assert [change["version"] for change in changes] == ["v1", "v2", "v1"]
    assert changes[1]["why"] == "more accurate"
    assert "serving v2 (generation 2)" in operator.run("logs").out


def test_nothing_is_left_running_after_destroy(tmp_path: Path) -> None:
    operator = Workspace(tmp_path / "project")
    operator.run(*_upload("v1"))
    deployed = operator.json("deploy", "--port", "0")
    processes = [psutil.Process(deployed["pid"])]
    processes += processes[0].children(recursive=True)
    assert httpx.get(f"{deployed['url']}/health").status_code == httpx.codes.OK
    operator.run("destroy")
    gone, alive = psutil.wait_procs(processes, timeout=30)
    assert not alive
    assert len(gone) == len(processes)
    assert operator.json("destroy")["destroyed"] is False
    shutil.rmtree(operator.folder)


def _upload(version: str) -> list[str | Path]:
    folder = DIGITS / version
    return ["upload-model", version, folder / "model.onnx", "--golden", folder / "golden.npz"]
