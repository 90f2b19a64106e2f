"""Reading flyctl: durations, sizes and prices, machines, releases, logs, complaints."""

import json
from typing import Any

import pytest

from pointsman_cli.platforms.fly import complaints, durations, images, machines, reply, sizes
from pointsman_cli.platforms.fly.machines import FlyMachine
from tests.fakes.flyctl import machine as fake


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("30s", 30), ("1m21s", 81), ("1h30m", 5400), ("500ms", 0.5), ("0", 0), (5, 5), ("1.5m", 90)],
)
def test_a_duration_is_read_as_go_reads_it(value: object, seconds: float) -> None:
    assert durations.seconds(value) == pytest.approx(seconds)


@pytest.mark.parametrize("value", ["30", "s", "5 s", "", "1m2", True, None, "ten"])
def test_what_is_no_duration_is_none(value: object) -> None:
    assert durations.seconds(value) is None


def test_prices_are_those_of_flys_page() -> None:
    assert sizes.monthly(sizes.Size("shared", 1, 256), "iad") == pytest.approx(1.94, abs=0.01)
    assert sizes.monthly(sizes.Size("performance", 1, 2048), "iad") == pytest.approx(31, abs=0.01)
    ashburn = sizes.monthly(sizes.Size("shared", 2, 1024), "iad")
    assert sizes.monthly(sizes.Size("shared", 2, 1024), "fra") == pytest.approx(ashburn * 1.1538)
    said = sizes.cost(sizes.Size("shared", 2, 1024), "fra", 2, 1)
    assert said.startswith("$7.37 to $14.74 a month for 2 machines of shared-cpu-2x with 1 GB")
    assert "list prices of August 2026" in said


@pytest.mark.parametrize(
    ("table", "size"),
    [
        ({}, "shared-cpu-1x with 256 MB"),
        ({"size": "performance-2x"}, "performance-2x with 4 GB"),
        ({"size": "shared-cpu-4x", "memory": "2gb"}, "shared-cpu-4x with 2 GB"),
        ({"cpu_kind": "performance", "cpus": 2, "memory_mb": 8192}, "performance-2x with 8 GB"),
        ({"memory": 512}, "shared-cpu-1x with 512 MB"),
    ],
)
def test_a_vm_is_what_flyctl_makes_of_it(table: dict[str, Any], size: str) -> None:
    assert str(sizes.size(table)) == size


def machine(**changes: Any) -> FlyMachine:
    image = {"registry": "registry.fly.io", "repository": "a", "tag": "1", "digest": "sha256:1"}
    [found] = machines.decoded(json.dumps([fake.made(1, 3, image, {}, "started") | changes]))
    return found


def test_a_machine_is_well_when_it_runs_and_every_check_passes() -> None:
    passing = {"name": "servicecheck-00-http-8000", "status": "passing", "output": "ok"}
    critical = passing | {"status": "critical", "output": "503"}
    assert machine(checks=[passing]).well
    assert not machine(checks=[]).well
    assert not machine(checks=[passing, critical]).well
    assert not machine(checks=[passing], state="stopped").well
    own = {"name": "bg_deployments_http", "status": "critical", "output": None}
    assert machine(checks=[passing, own]).well


def test_what_a_machine_went_through_before_this_release_is_no_crash_of_it() -> None:
    update, crash = fake.event("update", "replacing"), fake.ended(137, oom=True)
    assert machines.crash(machine(events=[update, crash]), 0) is None
    found = machines.crash(machine(events=[crash, update]), 0)
    assert found is not None
    assert machines.described(found) == "was killed because it ran out of memory"
    assert machines.crash(machine(events=[crash, update]), crash["timestamp"] + 1) is None
    crash["request"]["exit_event"]["requested_stop"] = True
    assert machines.crash(machine(events=[crash]), 0) is None


def test_a_machine_whose_host_is_away_is_known_by_what_is_left_of_its_configuration() -> None:
    whole = fake.made(1, 3, {}, {}, "started")
    [found] = machines.decoded(
        json.dumps([whole | {"config": None, "incomplete_config": whole["config"]}])
    )
    assert (found.release, found.group) == (3, "app")
    assert machines.deployed([found]) == [found]


def test_machines_of_nobodys_deployment_are_left_out_and_none_is_none() -> None:
    assert machines.decoded("null") == []
    assert machines.deployed([machine(config={"metadata": {}})]) == []
    assert machines.deployed([machine(state="destroyed")]) == []


def test_a_log_is_cut_into_lines_wherever_its_chunks_end() -> None:
    entries = [
        {"level": "info", "instance": "148", "message": f"line {n}", "region": "fra",
         "timestamp": "2026-11-25T12:00:00Z", "meta": {"Instance": "148"}}
        for n in range(3)
    ]  # fmt: skip
    text = "a warning\n" + "".join(json.dumps(each, indent=4) + "\n" for each in entries)
    reader = reply.LogReader()
    found = [
        line for start in range(0, len(text), 7) for line in reader.read(text[start : start + 7])
    ]
    assert found[0] == "a warning"
    assert found[1:] == [f"2026-11-25 12:00:00 148 fra [info] line {n}" for n in range(3)]


def test_the_previous_release_is_the_last_that_served_another_image() -> None:
    text = json.dumps([
        {"Version": 2, "Status": "complete", "ImageRef": "r/a:1"},
        {"Version": 4, "Status": "failed", "ImageRef": "r/a:2"},
        {"Version": 3, "Status": "failed", "ImageRef": "r/a:3"},
    ])  # fmt: skip
    found = reply.releases(text)
    assert [each.version for each in found] == [4, 3, 2]
    earlier = reply.previous(found, "r/a:2")
    assert earlier is not None
    assert earlier.version == 2
    assert reply.previous(found, "r/a:1") is None


@pytest.mark.parametrize(
    ("stderr", "message"),
    [
        ("Error: no access token available. Please login", "there is no token for Fly"),
        ("Error: Name has already been taken", "the name my-app is taken"),
        ('Error: failed to fetch: you are not authorized to push "x"', "registry refuses"),
        ("Error: unauthorized (Request ID: 01J-fra)", "the token may not do this"),
        ("Error: We need your payment information to continue! Add a credit card", "credit card"),
        ("Error: could not reserve resource for your machine", "Fly has no room"),
        ("Error: Cannot connect to the Docker daemon at unix:///x", "no Docker engine answers"),
    ],
)
def test_a_known_complaint_is_explained(stderr: str, message: str) -> None:
    known = complaints.understood(stderr, "my-app")
    assert known is not None
    assert message in known.message
    assert known.hint


def test_an_unknown_complaint_is_quoted_without_ids_and_tokens() -> None:
    stderr = "WARN x\nError: no luck with fm2_lJPE/x+y= (Request ID: 01) (Trace ID: ab)\nTry it\n"
    assert complaints.understood(stderr, "a") is None
    assert complaints.error_line(stderr) == "no luck with (token)"


@pytest.mark.parametrize(
    ("image", "remote", "label"),
    [
        ("digits:3f2a", False, "3f2a"),
        ("me/digits", False, "latest"),
        ("registry.fly.io/a:x", True, "x"),
        ("localhost:5000/a", True, "latest"),
        ("ghcr.io/me/a@sha256:" + "a" * 64, True, "a" * 12),
    ],
)
def test_an_image_is_pushed_by_its_own_tag_unless_it_is_in_a_registry(
    image: str, *, remote: bool, label: str
) -> None:
    assert images.names_registry(image) is remote
    assert images.label(image) == label


def test_the_public_address_is_what_fly_says_and_else_made_of_the_name() -> None:
    told = {"Name": "a", "Hostname": "a.fly.dev", "AppURL": "https://models.example/"}
    assert reply.app(json.dumps(told)).url == "https://models.example"
    assert reply.app(json.dumps(told | {"AppURL": ""})).url == "https://a.fly.dev"
    assert reply.app('{"Name": "a"}').url == "https://a.fly.dev"
