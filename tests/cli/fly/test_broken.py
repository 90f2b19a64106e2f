"""Deployments that break: the old release goes on serving, and the cause is one sentence."""

from typing import Any

import pytest

from tests.cli.fly.bench import APP, Bench
from tests.cli.fly.conftest import Project

FLY = ("-p", "fly", "--image")


@pytest.fixture
def released(project: Project, bench: Bench) -> Project:
    """A project whose first release runs on two machines; what they serve is not looked at."""
    bench.release("one")
    project.rewrite('wait_timeout = "20s"', 'wait_timeout = "2s"')
    return project


def failed(project: Project, *arguments: str, code: int = 10) -> dict[str, Any]:
    """Deploy the second image; return the document of its failure."""
    document: dict[str, Any] = project.json("deploy", *FLY, "digits:two", *arguments, code=code)
    assert document["verdict"] == ("failed" if code == 10 else "deployed but unverified")
    return document


def test_a_machine_that_runs_out_of_memory_fails_at_once_and_bluegreen_takes_it_back(
    released: Project, bench: Bench
) -> None:
    released.rewrite('wait_timeout = "2s"', 'wait_timeout = "500s"')
    before = bench.machines
    bench.turn(crash={"exit_code": 137, "oom": True}, checks=[""], log=["error: bad alloc"])
    document = failed(released)
    assert document["error"].endswith("was killed because it ran out of memory: bad alloc")
    assert document["hint"] == "Release 1 goes on serving on all its machines."
    assert [each["id"] for each in bench.machines] == [each["id"] for each in before]
    assert bench.tags() == ["one", "one"]
    assert bench.releases()[0] == (2, "interrupted", "two")


def test_a_machine_whose_check_never_passes_is_named_with_what_the_check_said(
    released: Project, bench: Bench
) -> None:
    bench.turn(checks=["critical"], output='{"status":"failed","reason":"no room"}', log=["x"])
    released.rewrite('strategy = "bluegreen"', 'strategy = "rolling"')
    document = failed(released)
    assert 'did not get healthy: {"status":"failed","reason":"no room"}' in document["error"]
    assert document["hint"] == (
        "Release 1 goes on serving on 1 of 2 machines; `pointsman rollback --image -p fly` goes "
        "back to it on the others."
    )
    assert sorted(bench.tags()) == ["one", "two"]


def test_going_back_restores_the_machines_that_changed_and_leaves_the_others_alone(
    released: Project, bench: Bench
) -> None:
    bench.turn(ill=["two"], log=["x"])
    released.rewrite('strategy = "bluegreen"', 'strategy = "rolling"')
    [changed, untouched] = [each["id"] for each in bench.machines]
    document = failed(released, "--auto-rollback", "--timeout", "120")
    assert document["hint"] == f"registry.fly.io/{APP}:one serves again on every machine."
    assert bench.tags() == ["one", "one"]
    [last] = bench.arguments("deploy", "--image", f"registry.fly.io/{APP}:one")
    assert last[-4:] == ["--strategy", "immediate", "--only-machines", changed]
    releases = {each["id"]: each["config"]["metadata"] for each in bench.machines}
    assert releases[untouched]["fly_release_version"] == "1"


def test_where_bluegreen_took_everything_back_there_is_nothing_to_go_back_from(
    released: Project, bench: Bench
) -> None:
    bench.turn(checks=["critical"], log=["x"])
    document = failed(released, "--auto-rollback")
    assert "serves again on every machine" in document["hint"]
    assert bench.commands()[-1] == "deploy"
    assert bench.releases()[0] == (2, "failed", "two")


def test_a_machine_that_fly_put_back_is_found_though_flyctl_calls_it_a_success(
    released: Project, bench: Bench
) -> None:
    released.rewrite('strategy = "bluegreen"', 'strategy = "rolling"')
    [reverted, _] = [each["id"] for each in bench.machines]
    bench.turn(reverts=[reverted])
    document = failed(released)
    assert bench.releases()[0] == (2, "complete", "two")
    assert document["error"] == (
        f"Fly calls the release complete, but machine {reverted} runs registry.fly.io/{APP}:one, "
        "and not what was released"
    )


def test_where_all_sleep_one_is_woken_to_be_looked_at(released: Project, bench: Bench) -> None:
    released.rewrite('strategy = "bluegreen"', 'strategy = "rolling"')
    for index in range(2):
        bench.change(index, state="stopped")
    said = released.run("deploy", *FLY, "digits:two", "--timeout", "8", code=9)
    assert "every machine sleeps: waking" in said.err
    assert bench.commands()[-2:] == ["deploy", "machine start"]
    assert sorted(each["state"] for each in bench.machines) == ["started", "stopped"]


def test_a_woken_machine_that_does_not_get_well_is_no_proof(
    released: Project, bench: Bench
) -> None:
    released.rewrite('strategy = "bluegreen"', 'strategy = "rolling"')
    for index in range(2):
        bench.change(index, state="suspended")
    bench.turn(checks=["critical"], output="503 loading")
    document = failed(released, "--timeout", "8", code=9)
    assert document["error"].endswith("is not healthy: 503 loading")


def test_a_machine_of_another_release_is_found(released: Project, bench: Bench) -> None:
    # flyctl of before 0.4.56 says nothing of the release: it is asked for.
    bench.turn(emits=False)
    released.run("deploy", *FLY, "digits:two", "--timeout", "0.5", code=9)
    assert bench.arguments("releases")[-1] == ["releases", "--app", APP, "--json", "--image"]
    assert bench.tags() == ["two", "two"]


def test_an_image_that_the_registry_does_not_know_yet_is_tried_again(
    released: Project, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointsman_cli.platforms.fly.release._MANIFEST_SECONDS", 0.0)
    bench.turn(unknown_manifest=2)
    released.run("deploy", *FLY, "digits:two", "--timeout", "0.5", code=9)
    assert bench.commands()[-3:] == ["deploy", "deploy", "deploy"]
    assert bench.tags() == ["two", "two"]


def test_a_log_without_a_line_is_waited_for_only_so_long(released: Project, bench: Bench) -> None:
    bench.turn(crash={"exit_code": 3}, checks=[""])
    document = failed(released)
    assert document["error"].endswith("ended with exit code 3")
    assert document["log"] == []
