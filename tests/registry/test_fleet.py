"""Heartbeats: who is alive by the store's clock, and where each stands with a generation."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pointsman import document, fleet, heartbeat, keys
from pointsman.errors import InvalidDocument
from pointsman.heartbeat import (
    Bake,
    Heartbeat,
    Instance,
    ServableReport,
    ShadowReport,
    Verdict,
    judge,
)
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore, StoredObject
from tests.fakes.memory_store import MemoryStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
V1, V2 = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def beat(instance: str = "one", **changes: Any) -> Heartbeat:
    members: dict[str, Any] = {
        "schema": 1,
        "instance": instance,
        "model": "digits",
        "channel": "production",
        "status": "ready",
        "observed_generation": 1,
        "interval_seconds": 30.0,
        "started": "2026-01-01T00:00:00+00:00",
    }
    return Heartbeat(**(members | changes))


class StoreWithClock(MemoryStore):
    """A store whose clock is wrong in a known way, or has gone on."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        """Tell the store's time."""
        return super().now() + self.ahead


def test_a_heartbeat_comes_back_with_its_instance(store_url: str) -> None:
    store = open_store(store_url)
    fleet.beat(store, beat("two", servables=(servable(errors=3), servable(errors=4))))
    fleet.beat(store, beat("one"))

    found = fleet.instances(store, "digits", "production")

    assert [instance.heartbeat.instance for instance in found] == ["one", "two"]
    assert found[1].heartbeat.errors == 7
    assert all(instance.live for instance in found)


def servable(**changes: Any) -> ServableReport:
    members: dict[str, Any] = {"version": "v1", "digest": V1, "state": "ready", "since": "now"}
    return ServableReport(**(members | changes))


def test_an_instance_that_rests_is_not_live_however_young_its_last_heartbeat_is(
    store_url: str,
) -> None:
    store = open_store(store_url)
    fleet.beat(store, beat(status=heartbeat.ASLEEP))
    (instance,) = fleet.instances(store, "digits", "production")
    assert instance.asleep
    assert not instance.live


def test_a_later_heartbeat_replaces_the_earlier(store_url: str) -> None:
    store = open_store(store_url)
    fleet.beat(store, beat(observed_generation=1))
    fleet.beat(store, beat(observed_generation=2))

    (instance,) = fleet.instances(store, "digits", "production")
    assert instance.heartbeat.observed_generation == 2


def test_an_instance_that_leaves_is_gone_and_may_leave_twice(store_url: str) -> None:
    store = open_store(store_url)
    fleet.beat(store, beat())
    fleet.leave(store, "digits", "production", "one")
    fleet.leave(store, "digits", "production", "one")

    assert fleet.instances(store, "digits", "production") == []


def test_other_channels_have_other_fleets() -> None:
    store = MemoryStore()
    fleet.beat(store, beat("one"))
    fleet.beat(store, beat("two", channel="staging"))
    fleet.beat(store, beat("three", model="faces"))

    found = fleet.instances(store, "digits", "production")
    assert [instance.heartbeat.instance for instance in found] == ["one"]


@pytest.mark.parametrize(
    ("since_the_beat", "live"),
    [(timedelta(0), True), (timedelta(seconds=60), True), (timedelta(seconds=90), False)],
)
def test_an_instance_is_live_until_three_intervals_have_passed_by_the_stores_clock(
    since_the_beat: timedelta, *, live: bool
) -> None:
    """The clocks of the instance that wrote and of whoever asks are nowhere in this."""
    store = StoreWithClock()
    fleet.beat(store, beat(started="1999-01-01T00:00:00+00:00"))
    store.ahead = since_the_beat

    (instance,) = fleet.instances(store, "digits", "production")
    assert instance.live is live


def test_a_heartbeat_is_lost_when_its_instance_has_been_silent_for_a_week() -> None:
    store = StoreWithClock()
    fleet.beat(store, beat("one", channel="staging", interval_seconds=24.0 * 3600))
    store.overwrite("fleet/digits/production/not ours", b"")
    store.ahead = timedelta(days=6, hours=23)
    assert fleet.lost(store, "digits") == []

    store.ahead = timedelta(days=7)
    assert [info.key for info in fleet.lost(store, "digits")] == ["fleet/digits/staging/one.json"]
    assert fleet.lost(store, "faces") == []


def test_a_beat_from_the_future_is_young_and_not_of_negative_age() -> None:
    instance = heartbeat.seen(beat(), NOON + timedelta(seconds=5), NOON)
    assert instance.age == timedelta(0)


@pytest.mark.parametrize(
    ("key_name", "data"),
    [
        ("broken", b"not json"),
        ("huge", document.encode({"padding": "x" * (4 << 20 >> 1)}) * 3),
        ("someone", document.encode(beat("someone-else"))),
        ("endless", document.encode(beat("endless")).replace(b"30.0", b"1e300")),
        ("never", document.encode(beat("never")).replace(b"30.0", b"-1")),
    ],
    ids=["not json", "too large", "speaks for another", "lives for ever", "negative interval"],
)
def test_what_is_no_honest_heartbeat_is_left_out(key_name: str, data: bytes) -> None:
    store = MemoryStore()
    fleet.beat(store, beat("one"))
    store.overwrite(keys.heartbeat("digits", "production", key_name), data)

    found = fleet.instances(store, "digits", "production")
    assert [instance.heartbeat.instance for instance in found] == ["one"]


def test_a_document_that_is_no_heartbeat_is_refused() -> None:
    with pytest.raises(InvalidDocument, match="a heartbeat cannot be read"):
        heartbeat.read(b"{}")


@pytest.mark.parametrize(
    ("reported", "verdict"),
    [
        ({"observed_generation": 4, "serving_digest": V1}, Verdict.WAITING),
        ({"observed_generation": 4, "serving_digest": V2}, Verdict.WAITING),
        ({"observed_generation": 4, "refused": "too big"}, Verdict.WAITING),
        ({"observed_generation": 5, "serving_digest": V2}, Verdict.SERVING),
        ({"observed_generation": 5, "refused": "bad", "serving_digest": V1}, Verdict.REFUSED),
        ({"observed_generation": 5, "refused": "bad"}, Verdict.REFUSED),
        ({"observed_generation": 5, "serving_digest": V1}, Verdict.SUPERSEDED),
        ({"observed_generation": 6, "serving_digest": V2}, Verdict.SERVING),
        ({"observed_generation": 6, "serving_digest": V1}, Verdict.SUPERSEDED),
        ({"observed_generation": 6, "refused": "bad", "serving_digest": V2}, Verdict.SERVING),
    ],
)
def test_where_an_instance_stands_with_generation_five_that_wants_v2(
    reported: dict[str, Any], verdict: Verdict
) -> None:
    assert judge(beat(**reported), generation=5, digest=V2) is verdict


def test_live_heartbeats_are_listed_by_instance() -> None:
    instances = [
        Instance(beat("b"), timedelta(0)),
        Instance(beat("c"), timedelta(hours=1)),
        Instance(beat("a"), timedelta(0)),
    ]
    assert [each.instance for each in heartbeat.live(instances)] == ["a", "b"]


def test_the_age_of_a_beat_on_s3_is_taken_between_two_times_of_the_server(s3_url: str) -> None:
    store: ObjectStore = open_store(s3_url)
    fleet.beat(store, beat())

    (instance,) = fleet.instances(store, "digits", "production")
    assert instance.age < timedelta(seconds=30)


def test_a_refused_canary_is_a_refusal_only_of_what_asks_for_the_canary() -> None:
    refusing = beat(observed_generation=2, serving_digest=V1, canary_refused="no room")

    assert judge(refusing, 2, V1, beside=[V2]) is Verdict.REFUSED
    assert judge(refusing, 2, V1) is Verdict.SERVING
    assert judge(refusing, 1, V1, beside=[V2]) is Verdict.SUPERSEDED, "it speaks of a later one"
    assert judge(refusing, 3, V1, beside=[V2]) is Verdict.WAITING


@pytest.mark.parametrize(
    ("role", "verdict"),
    [("canary", Verdict.SERVING), ("shadow", Verdict.SERVING), ("", Verdict.WAITING)],
)
def test_a_canary_counts_as_served_where_it_is_reported_in_that_role(
    role: str, verdict: Verdict
) -> None:
    """A service too old to know of canaries reports the generation, and holds the version idle."""
    reporting = beat(
        observed_generation=2, serving_digest=V1, servables=(servable(digest=V2, role=role),)
    )
    assert judge(reporting, 2, V1, beside=[V2]) is verdict


def test_what_an_instance_says_of_canary_shadow_and_bake_comes_back(store_url: str) -> None:
    store = open_store(store_url)
    said = beat(
        canary_refused="no room",
        rollback_seconds=0.04,
        memory_available_bytes=1,
        memory_limit_bytes=2,
        bake=Bake(version="v2", state="returned", reason="12 % errors", until="later"),
        servables=(
            servable(role="canary", rejected=1, nonfinite=2, constant=True, p99_seconds=0.1),
            servable(
                version="v3",
                role="shadow",
                shadow=ShadowReport(requests=9, dropped=1, max_difference=0.5, top1_agreement=0.9),
            ),
        ),
    )
    fleet.beat(store, said)

    (instance,) = fleet.instances(store, "digits", "production")

    assert instance.heartbeat == said


class CountedStore(MemoryStore):
    """Counts the heartbeats that are read."""

    reads = 0

    def get(self, key: str, etag: str | None = None) -> StoredObject | None:
        """Read a document."""
        self.reads += 1
        return super().get(key, etag)


def test_who_looks_again_reads_only_what_changed() -> None:
    store = CountedStore()
    for name in ("one", "two", "three"):
        fleet.beat(store, beat(name))
    lookout = fleet.Lookout(store, "digits", "production")
    assert len(lookout.look()) == store.reads == 3

    fleet.beat(store, beat("two", observed_generation=2))
    fleet.leave(store, "digits", "production", "three")
    seen = lookout.look()

    assert store.reads == 4
    generations = {each.heartbeat.instance: each.heartbeat.observed_generation for each in seen}
    assert generations == {"one": 1, "two": 2}


def test_who_looks_again_sees_how_old_an_unchanged_heartbeat_is_by_then() -> None:
    store = StoreWithClock()
    fleet.beat(store, beat())
    lookout = fleet.Lookout(store, "digits", "production")
    assert lookout.look()[0].live

    store.ahead = timedelta(hours=1)
    assert not lookout.look()[0].live
    fleet.leave(store, "digits", "production", "one")
    assert lookout.look() == []


def test_failed_are_requests_that_somebody_asked_and_nobody_answered() -> None:
    said = beat(
        unserved=1,
        servables=(
            servable(role="stable", errors=2, dropped=3, rejected=100),
            servable(version="v2", errors=4),
            servable(version="v3", role="shadow", errors=1000, dropped=1000),
        ),
    )
    assert said.failed == 1 + 2 + 3 + 4
