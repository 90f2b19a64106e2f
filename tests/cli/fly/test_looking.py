"""What is shown of Fly without changing it, and the end: plan, status, log, destroy, staging."""

import json
import signal
from datetime import UTC, datetime
from typing import Any

import pytest

from pointsman_cli.platforms.fly import machines, reply, status
from pointsman_cli.platforms.fly.machines import FlyMachine
from tests.cli.fly.bench import APP, DIGESTS, NOBODY, RUNTIME_SECRET, Bench
from tests.cli.fly.conftest import FLY_TOML, Project
from tests.cli.workspace import until
from tests.fakes.flyctl import machine as fake

FLY = ("-p", "fly")
NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)


def machine(number: int = 1, **changes: Any) -> FlyMachine:
    image = {
        "registry": "registry.fly.io", "repository": APP, "tag": "one", "digest": DIGESTS["one"],
    }  # fmt: skip
    made = fake.made(number, 3, image, {}, "started")
    passing = {"name": "servicecheck-00-http-8000", "status": "passing", "output": "ok"}
    [found] = machines.decoded(json.dumps([made | {"checks": [passing]} | changes]))
    return found


def test_a_plan_says_what_would_be_made_and_what_it_costs(project: Project, bench: Bench) -> None:
    plan = project.json("deploy", *FLY, "--image", "digits:one", "--dry-run")
    assert plan["plan"] == [
        f"make the app {APP} in personal",
        f"push digits:one to registry.fly.io/{APP}",
        "stage 2 secrets: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY",
        "release it by bluegreen, making 2 machines, waiting up to 20 s for each",
        "prove image, release and checks of every machine, then the golden set",
    ]
    assert plan["cost"].startswith("$7.37 to $14.74 a month for 2 machines of shared-cpu-2x")
    assert "two versions fit side by side" in plan["memory"]
    assert bench.commands() == []
    assert RUNTIME_SECRET not in str(plan)


def test_a_plan_for_machines_that_are_there_counts_them(project: Project, bench: Bench) -> None:
    bench.release("one")
    plan = project.json("deploy", *FLY, "--image", "digits:two", "--dry-run")["plan"]
    assert "release it by bluegreen, onto 2 machines, waiting up to 20 s for each" in plan
    assert not any("make the app" in step for step in plan)


def test_an_environment_has_a_file_and_an_app_of_its_own(project: Project, bench: Bench) -> None:
    project.file.write_text(project.file.read_text() + '\n[env.staging]\nchannel = "staging"\n')
    staging = project.folder / "fly.staging.toml"
    staging.write_text(FLY_TOML.replace(f'app = "{APP}"', 'app = "my-model-staging"'))
    project.run("activate", "v1", "--channel", "staging", "--no-wait")
    plan = project.json("deploy", *FLY, "--image", "digits:one", "--dry-run", "--env", "staging")
    assert plan["plan"][0] == "make the app my-model-staging in personal"
    assert bench.arguments("status")[0][2] == "my-model-staging"


def test_status_shows_every_machine_and_what_is_wrong_with_it(
    project: Project, bench: Bench
) -> None:
    bench.release("one")
    bench.change(1, state="stopped", events=[fake.ended(137, oom=True)])
    deployment = project.json("status", *FLY)["deployment"]
    assert (deployment["name"], deployment["release"]) == (APP, "1")
    [well, killed] = deployment["machines"]
    assert (well["state"], well["region"]) == ("started, 1 of 1 checks passing", "fra")
    assert "note" not in well
    assert killed["note"] == "its program was killed because it ran out of memory"
    assert f"{APP} on fly, at {NOBODY}, release 1" in project.run("status", *FLY).err


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"state": "starting"}, "starting for 30 min: `fly machine destroy"),
        ({"host_status": "unreachable"}, "its host is unreachable"),
        ({"state": "failed"}, "Fly gave up on it"),
        ({"checks": [{"name": "a", "status": "critical", "output": "503 x"}]}, "503 x"),
        ({}, ""),
    ],
)
def test_a_machine_in_trouble_is_noted_with_what_to_type(
    changes: dict[str, Any], note: str
) -> None:
    shown = status.shown(machine(**changes), APP, NOW)
    assert shown.note.startswith(note)
    assert bool(shown.note) is bool(note)


def test_machines_of_different_images_are_noted() -> None:
    image = {"registry": "registry.fly.io", "repository": APP, "tag": "two", "digest": "sha256:2"}
    app = reply.App(name=APP)
    assert status.deployment(app, [machine(), machine(2)], NOW).note == ""
    assert (
        "different images"
        in status.deployment(app, [machine(), machine(2, image_ref=image)], NOW).note
    )
    assert "has no machine" in status.deployment(app, [], NOW).note


def test_a_log_is_followed_until_ctrl_c(project: Project, bench: Bench) -> None:
    bench.release("one")
    bench.turn(log=["serving v1", "answered"])
    assert [each[-8:] for each in project.json("logs", *FLY, "-n", "1")["lines"]] == ["answered"]
    followed = project.folder / "followed"
    with project.start("logs", *FLY, "--follow", out=followed) as command:
        until(lambda: "answered" in followed.read_text(), "what was said is told")
        command.send_signal(signal.SIGINT)
        assert command.wait(240) == 130
    assert bench.arguments("logs")[-1] == ["logs", "--app", APP, "--json"]


def test_a_log_that_may_not_be_read_says_which_token_may(project: Project, bench: Bench) -> None:
    bench.release("one")
    bench.turn(failures={"logs": "failed to get logs: unauthorized"})
    said = project.run("logs", *FLY, code=1)
    assert "the token may not do this with my-model" in said.err


def test_the_end_has_to_be_typed(project: Project, bench: Bench) -> None:
    bench.release("one")
    plan = project.json("destroy", *FLY, "--dry-run")
    assert plan["plan"] == [f"end 2 machines and the app {APP} on Fly"]
    assert plan["lost"][0] == f"the address {NOBODY}"
    said = project.run("destroy", *FLY, code=2)
    assert "add --yes if that is meant" in said.err
    assert bench.machines
    assert bench.commands() == []
    project.run("destroy", *FLY, "--yes")
    assert bench.commands() == ["apps destroy"]


def test_ctrl_c_in_the_middle_stops_flyctl_and_says_how_things_stand(
    project: Project, bench: Bench
) -> None:
    bench.release("one")
    bench.turn(checks=["critical"])
    project.rewrite('wait_timeout = "20s"', 'wait_timeout = "300s"')
    before = [each["id"] for each in bench.machines]
    with project.start("deploy", *FLY, "--image", "digits:two") as command:
        until(lambda: len(bench.machines) > len(before), "a machine is made")
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=240)
    assert command.returncode == 130
    assert "`pointsman status -p fly` shows what my-model runs" in err
    assert [each["id"] for each in bench.machines] == before
    assert bench.releases()[0] == (2, "interrupted", "two")
