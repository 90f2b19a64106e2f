"""Traffic over all live instances: sums, weighted latencies, and counters that begin anew."""

from typing import Any

from pointsman.heartbeat import Heartbeat, ServableReport, ShadowReport
from pointsman_cli.traffic import Meter, read
from tests.cli.fleet import heartbeat

DIGEST = "sha256:" + "2" * 64


def beat(instance: str, **report: Any) -> Heartbeat:
    members: dict[str, Any] = {"version": "v2", "digest": DIGEST, "state": "ready", "since": ""}
    return heartbeat(instance, "digits", 1, servables=(ServableReport(**(members | report)),))


def test_counters_add_up_and_latencies_weigh_by_requests() -> None:
    found = read(
        "v2",
        DIGEST,
        [
            beat("one", requests=100, errors=1, p99_seconds=0.010),
            beat("two", requests=300, nonfinite=2, constant=True, p99_seconds=0.030),
            beat("idle", requests=0),
            beat("unwilling", state="failed", requests=9),
        ],
    )
    assert (found.instances, found.requests, found.errors) == (3, 400, 1)
    assert (found.nonfinite, found.constant) == (2, 1)
    assert found.p99_seconds == 0.025


def test_a_version_that_nobody_has_did_nothing() -> None:
    found = read("v2", DIGEST, [])
    assert (found.instances, found.requests, found.p99_seconds, found.error_rate) == (0, 0, None, 0)


def test_a_meter_counts_from_its_beginning_and_from_0_where_an_instance_began_anew() -> None:
    meter = Meter()
    meter.begin([beat("steady", requests=100, errors=5), beat("restarted", requests=900, errors=9)])
    found = meter.read(
        "v2",
        DIGEST,
        [
            beat("steady", requests=130, errors=6),
            beat("restarted", requests=10, errors=2),
            beat("new", requests=7),
        ],
    )
    assert (found.requests, found.errors) == (30 + 10 + 7, 1 + 2)


def test_what_shadows_found_is_put_together() -> None:
    shadows = [
        ShadowReport(requests=10, dropped=1, max_difference=0.5, top1_agreement=1.0),
        ShadowReport(requests=30, dropped=2, max_difference=0.1, top1_agreement=0.9),
        ShadowReport(),
    ]
    found = read(
        "v2", DIGEST, [beat(str(number), shadow=each) for number, each in enumerate(shadows)]
    )
    assert found.shadow is not None
    assert (found.shadow.requests, found.shadow.dropped, found.shadow.max_difference) == (
        40,
        3,
        0.5,
    )
    assert round(found.shadow.top1_agreement or 0, 3) == 0.925
