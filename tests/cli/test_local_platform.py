"""The local platform: one service per model and channel, found again, healed and ended."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from pointsman_cli import process
from pointsman_cli.platforms import record as records
from tests.cli.conftest import Sources
from tests.cli.workspace import MODEL, Workspace, until


@pytest.fixture(autouse=True)
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let services look often, and end without a grace period."""
    monkeypatch.setenv("POINTSMAN_POLL_SECONDS", "0.05")
    monkeypatch.setenv("POINTSMAN_DRAIN_GRACE", "0")


def left(workspace: Workspace) -> list[psutil.Process]:
    """Return every process that serves from the workspace's store."""
    return list(process.having("POINTSMAN_STORE", workspace.store.as_uri()))


def directory(workspace: Workspace, channel: str = "production") -> Path:
    return workspace.folder / ".pointsman" / "local" / MODEL / channel


def service_of(deployment: dict[str, Any]) -> psutil.Process:
    """Return the service under a deployment's supervisor."""
    [service] = psutil.Process(deployment["pid"]).children()
    return service


def test_a_deployment_is_proven_left_alone_replaced_and_ended(published: Workspace) -> None:
    published.registry.activate(MODEL, "v1")
    first = published.json("deploy", "--port", "0")
    assert (first["version"], first["generation"], first["golden_rows"]) == ("v1", 1, 3)
    assert set(first) == {
        "platform", "name", "url", "instance", "pid", "log",
        "version", "digest", "generation", "seconds", "golden_rows", "verdict",
    }  # fmt: skip

    assert "leave digits/production running" in published.run("deploy", "--dry-run").out
    again = published.run("deploy")
    assert again.out == f"{first['url']}\n"
    assert f"process {first['pid']} answers" in again.err

    second = published.json("deploy", "--restart")
    assert second["url"] == first["url"]
    assert (second["pid"], second["instance"]) != (first["pid"], first["instance"])

    status = published.json("status")
    assert status["deployment"]["instance"] == second["instance"]
    assert [each["instance"] for each in status["instances"]] == [second["instance"]]

    assert published.json("destroy") == {"platform": "local", "destroyed": True}
    assert left(published) == []
    assert not (published.folder / ".pointsman" / "local").exists()
    assert published.json("destroy") == {"platform": "local", "destroyed": False}


def test_the_only_version_is_activated_by_the_first_deployment(
    workspace: Workspace, sources: Sources
) -> None:
    workspace.registry.publish(MODEL, "v1", sources.root / "v1")
    plan = workspace.json("deploy", "--port", "0", "--dry-run")["plan"]
    assert plan[0] == "activate v1, the only version"
    assert not workspace.json("status", code=1).get("stable")
    workspace.run("deploy", "--port", "0")
    assert workspace.json("history")[0]["why"] == "first deployment"
    workspace.run("destroy")


def test_a_service_that_is_killed_comes_back(deployed: Workspace) -> None:
    deployment = deployed.json("deploy")
    killed = service_of(deployment)
    killed.kill()
    until(
        lambda: (
            [each.pid for each in psutil.Process(deployment["pid"]).children()]
            not in ([], [killed.pid])
        ),
        "the service is started again",
    )
    again = deployed.json("deploy")
    assert (again["pid"], again["url"]) == (deployment["pid"], deployment["url"])
    (deployed.folder / "request.json").write_text('{"inputs": [[1, 2, 3, 4]]}')
    predicted = deployed.json("predict", "request.json")
    assert predicted["outputs"] == {"y": [[2.0, 4.0, 6.0, 8.0]]}
    assert "the service died (-9)" in deployed.run("logs").out


def test_a_service_whose_supervisor_was_killed_is_replaced(deployed: Workspace) -> None:
    deployment = deployed.json("deploy")
    orphan = service_of(deployment)
    psutil.Process(deployment["pid"]).kill()
    psutil.Process(deployment["pid"]).wait(240)
    assert process.is_alive(orphan)
    replaced = deployed.json("deploy")
    assert (replaced["url"], replaced["pid"]) != (deployment["url"], deployment["pid"])
    assert replaced["url"] == deployment["url"]
    assert not process.is_alive(orphan)


def test_destroying_ends_what_a_killed_supervisor_left(deployed: Workspace) -> None:
    psutil.Process(deployed.json("deploy")["pid"]).kill()
    assert deployed.json("destroy")["destroyed"] is True
    assert left(deployed) == []


def test_a_record_that_outlived_its_processes_is_none(published: Workspace) -> None:
    published.registry.activate(MODEL, "v1")
    published.run("deploy", "--port", "0")
    record = (directory(published) / "deployment.json").read_bytes()
    published.run("destroy")
    directory(published).mkdir(parents=True)
    # As after a restart of the machine.
    (directory(published) / "deployment.json").write_bytes(record)
    assert "is not deployed here" in published.run("predict", "-", code=2).err
    assert published.json("status")["deployment"] is None
    plan = published.json("deploy", "--dry-run", "--port", "0")["plan"]
    assert plan == ["start digits/production on 127.0.0.1, port chosen by the system"]
    assert published.json("destroy")["destroyed"] is True


def test_a_record_that_cannot_be_read_is_none(published: Workspace) -> None:
    directory(published).mkdir(parents=True)
    (directory(published) / "deployment.json").write_text("garbage")
    assert "is not deployed here" in published.run("predict", "-", code=2).err
    assert published.json("destroy")["destroyed"] is False


def test_names_with_dashes_do_not_share_a_deployment(published: Workspace) -> None:
    published.registry.activate(MODEL, "v1")
    published.registry.activate(MODEL, "v2", "a-b")
    published.run("deploy", "--port", "0")
    other = published.json("deploy", "--port", "0", "--channel", "a-b")
    assert (other["name"], other["version"]) == ("digits/a-b", "v2")
    published.run("destroy")
    assert [each.pid for each in left(published)].count(other["pid"]) == 1
    published.run("destroy", "--channel", "a-b")
    assert left(published) == []


def test_two_commands_that_deploy_at_once_start_one_service(published: Workspace) -> None:
    published.registry.activate(MODEL, "v1")
    arguments = ("deploy", "--port", "0", "--json")
    with published.start(*arguments) as one, published.start(*arguments) as two:
        answers = [json.loads(each.communicate(timeout=240)[0]) for each in (one, two)]
    assert answers[0]["instance"] == answers[1]["instance"]
    assert len(left(published)) == 2  # a supervisor and a service
    published.run("destroy")


def test_a_service_that_cannot_start_says_why_and_leaves_nothing_running(
    published: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    published.registry.activate(MODEL, "v1")
    monkeypatch.setenv("POINTSMAN_POLL_SECONDS", "often")
    result = published.run("deploy", "--port", "0", code=10)
    assert "error: the service did not start: POINTSMAN_POLL_SECONDS" in result.err
    assert left(published) == []
    assert "POINTSMAN_POLL_SECONDS" in published.run("logs").out
    assert published.json("status")["deployment"] is None
    published.run("destroy")


def test_ctrl_c_while_it_starts_leaves_something_that_is_found_again(published: Workspace) -> None:
    published.registry.activate(MODEL, "v1")
    with published.start("deploy", "--port", "0") as command:
        until((directory(published) / "deployment.json").exists, "it is about to start")
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=240)
    assert command.returncode == 130
    assert "`pointsman destroy` ends it" in err
    assert published.json("destroy")["destroyed"] is True
    # What had not yet begun notices by itself that it is not wanted.
    until(lambda: not left(published), "nothing runs any more")


def test_in_the_foreground_the_service_is_the_command(published: Workspace) -> None:
    published.registry.activate(MODEL, "v1")
    variables = {"POINTSMAN_HOST": "127.0.0.1", "POINTSMAN_INSTANCE": "here"}
    with published.start("serve", "--port", "0", variables=variables) as command:
        assert [each.pid for each in left(published)] in ([], [command.pid])
        until(lambda: published.json("status")["instances"], "it reports")
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=240)
    assert command.returncode == 0
    assert "listening on http://127.0.0.1:" in err
    assert published.json("status")["instances"] == []


def test_the_log_is_told_and_followed_until_the_service_ends(deployed: Workspace) -> None:
    assert "serving v1 (generation 1)" in deployed.run("logs").out
    document = deployed.json("logs", "--lines", "1")
    assert (document["platform"], len(document["lines"])) == ("local", 1)
    followed = deployed.folder / "followed"
    with deployed.start("logs", "--follow", out=followed) as command:
        until(lambda: "serving v1" in followed.read_text(), "what was said before is told")
        deployed.registry.activate(MODEL, "v2")
        until(lambda: "serving v2" in followed.read_text(), "what is said now is told")
        command.send_signal(signal.SIGINT)
        assert command.wait(240) == 130
    with deployed.start("logs", "--follow", out=followed) as command:
        until(lambda: "serving v2" in followed.read_text(), "what was said before is told")
        deployed.run("destroy")
        assert command.wait(240) == 0
    assert "draining" in followed.read_text()


def test_secrets_are_in_no_argument_list_and_no_record(
    published: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    published.registry.activate(MODEL, "v1")
    shown = published.run("deploy", "--port", "0", "--json")
    arguments = [" ".join(each.cmdline()) for each in left(published)]
    files = [path for path in directory(published).iterdir() if path.is_file()]
    assert len(arguments) == 2
    told = [shown.out, shown.err, *arguments, *(path.read_text() for path in files)]
    assert not any("hunter2" in text for text in told)
    published.run("destroy")


def test_what_the_environment_says_of_the_cache_is_obeyed(
    published: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_CACHE_DIR", str(tmp_path / "elsewhere"))
    published.registry.activate(MODEL, "v1")
    published.run("deploy", "--port", "0")
    assert (tmp_path / "elsewhere" / "blobs").is_dir()
    published.run("destroy")


def test_another_store_is_another_service_at_the_same_address(
    deployed: Workspace, tmp_path: Path
) -> None:
    before = deployed.json("deploy")
    shutil.copytree(deployed.store, tmp_path / "other")
    after = deployed.json("deploy", "--store", tmp_path / "other")
    assert after["url"] == before["url"]
    assert after["instance"] != before["instance"]


def test_a_process_id_that_somebody_else_has_now_is_not_taken_for_the_service(
    tmp_path: Path,
) -> None:
    record = records.Record(instance="local-1", url="", host="", port=0, store="")
    records.write(tmp_path, record)
    assert records.running(tmp_path) is None
