"""Watching a fleet: who confirmed, who refused, who is waited for, and who is not."""

import time
from collections.abc import Callable

import pytest

from pointsman import fleet
from pointsman.errors import StoreError
from pointsman.heartbeat import Verdict
from pointsman_cli.confirmation import Answer, Confirmation, Goal, Watch
from tests.cli.fleet import having_failed, heartbeat
from tests.fakes.memory_store import MemoryStore
from tests.fakes.unreliable_store import OfflineStore

MODEL = "digits"
NEW = "sha256:" + "2" * 64
GOAL = Goal(generation=2, version="v2", digest=NEW)
PATIENCE = 30.0


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class Fleet:
    """Heartbeats written when the test wants them to be."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.told: list[Answer] = []
        self.watch = Watch(store, MODEL, "production", self.told.append)

    def waits(self, instance: str, **changes: object) -> None:
        """Let an instance say that it still serves what was before."""
        fleet.beat(self.store, heartbeat(instance, MODEL, 1, serving="v1", **changes))

    def serves(self, instance: str, generation: int = 2, **changes: object) -> None:
        """Let an instance say that it serves what is wished for."""
        beat = heartbeat(instance, MODEL, generation, serving="v2", serving_digest=NEW, **changes)
        fleet.beat(self.store, beat)

    def refuses(self, instance: str) -> None:
        """Let an instance say that it will not serve what is wished for."""
        beat = heartbeat(instance, MODEL, 2, serving="v1", refused="no room", status="degraded")
        fleet.beat(self.store, beat)

    def settle(
        self, then: Callable[[Confirmation], None] = lambda _: None, patience: float = PATIENCE
    ) -> Confirmation:
        """Watch; `then` happens after every look that leaves something to wait for."""
        return self.watch.until_settled(GOAL, time.monotonic(), patience, then)


@pytest.fixture
def instances(store: MemoryStore) -> Fleet:
    return Fleet(store)


def test_nobody_to_wait_for_is_settled_at_once(instances: Fleet) -> None:
    confirmation = instances.settle()
    assert confirmation.confirmed
    assert confirmation.answers == ()


def test_all_confirm_one_after_the_other(instances: Fleet) -> None:
    instances.waits("a")
    instances.waits("b")
    looks = iter([instances.serves, instances.serves])

    def next_one(confirmation: Confirmation) -> None:
        waiting = confirmation.having(Verdict.WAITING)
        next(looks)(waiting[0].instance)

    confirmation = instances.settle(next_one)
    assert confirmation.confirmed
    assert [answer.instance for answer in instances.told] == ["a", "b"]
    first, second = (answer.seconds or 0.0 for answer in confirmation.answers)
    assert 0 < first < second == confirmation.seconds


def test_one_refusal_ends_the_waiting_for_others(instances: Fleet) -> None:
    instances.waits("a")
    instances.refuses("b")
    confirmation = instances.settle()
    assert [answer.reason for answer in confirmation.having(Verdict.REFUSED)] == ["no room"]
    assert [answer.instance for answer in confirmation.having(Verdict.WAITING)] == ["a"]
    assert confirmation.settled
    assert not confirmation.confirmed


def test_an_instance_that_never_answers_is_given_up_on(instances: Fleet) -> None:
    instances.waits("a")
    instances.serves("b")
    confirmation = instances.settle(patience=0.01)
    assert not confirmation.settled
    assert [answer.instance for answer in confirmation.having(Verdict.WAITING)] == ["a"]
    assert [answer.instance for answer in confirmation.having(Verdict.SERVING)] == ["b"]


def test_an_instance_that_dies_while_waited_for_is_named_stale(instances: Fleet) -> None:
    instances.serves("a")
    instances.waits("b", interval_seconds=0.1)
    confirmation = instances.settle()
    assert confirmation.stale == ("b",)
    assert [answer.instance for answer in confirmation.answers] == ["a"]
    assert confirmation.confirmed


def test_an_instance_that_rests_is_neither_waited_for_nor_stale(instances: Fleet) -> None:
    instances.serves("a")
    instances.waits("b", status="asleep")
    confirmation = instances.settle()
    assert confirmation.confirmed
    assert (confirmation.stale, confirmation.resting) == ((), ("b",))


def test_an_instance_that_leaves_is_not_waited_for(instances: Fleet) -> None:
    instances.waits("a")
    instances.serves("b")

    def leave(_: Confirmation) -> None:
        fleet.leave(instances.store, MODEL, "production", "a")

    confirmation = instances.settle(leave)
    assert confirmation.confirmed
    assert [answer.instance for answer in confirmation.answers] == ["b"]


def test_an_instance_that_joins_is_waited_for(instances: Fleet) -> None:
    instances.waits("a")

    def join_then_serve(confirmation: Confirmation) -> None:
        if len(confirmation.answers) == 1:
            instances.waits("new")
            instances.serves("a")
        else:
            instances.serves("new")

    confirmation = instances.settle(join_then_serve)
    assert [answer.instance for answer in confirmation.having(Verdict.SERVING)] == ["a", "new"]


def test_a_generation_that_was_overtaken_is_not_confirmed(instances: Fleet) -> None:
    beat = heartbeat("a", MODEL, 3, serving="v3", serving_digest="sha256:" + "3" * 64)
    fleet.beat(instances.store, beat)
    confirmation = instances.settle()
    assert [answer.version for answer in confirmation.having(Verdict.SUPERSEDED)] == ["v3"]
    assert confirmation.settled
    assert not confirmation.confirmed


def test_a_later_generation_with_the_same_version_confirms(instances: Fleet) -> None:
    instances.serves("a", generation=4)
    assert instances.settle().confirmed


def test_only_requests_that_failed_since_the_change_count(instances: Fleet) -> None:
    instances.waits("a", servables=(having_failed(5),))
    instances.waits("restarted", servables=(having_failed(9),))
    instances.watch.begin()
    instances.serves("a", servables=(having_failed(7),))
    instances.serves("restarted", servables=(having_failed(1),))
    instances.serves("new", servables=(having_failed(3),))
    assert instances.settle().failed_requests == 2


def test_a_store_that_fails_for_a_moment_is_waited_for(store: MemoryStore) -> None:
    instances = Fleet(store)
    instances.waits("a")

    def break_then_mend(confirmation: Confirmation) -> None:
        if confirmation.trouble:
            instances.watch.store = store
            instances.serves("a")
        else:
            instances.watch.store = OfflineStore(store)

    confirmation = instances.settle(break_then_mend)
    assert confirmation.confirmed


def test_a_store_that_stays_away_is_told(store: MemoryStore) -> None:
    instances = Fleet(store)
    instances.watch.store = OfflineStore(store)
    confirmation = instances.settle(patience=0.01)
    assert "does not answer" in confirmation.trouble
    assert not confirmation.confirmed


def test_a_store_that_does_not_answer_stops_a_change_before_it_begins(store: MemoryStore) -> None:
    with pytest.raises(StoreError):
        Watch(OfflineStore(store), MODEL, "production", lambda _: None).begin()


def test_a_heartbeat_that_nobody_can_read_is_nobody(instances: Fleet) -> None:
    instances.store.overwrite(f"fleet/{MODEL}/production/junk.json", b"junk")
    assert instances.settle().confirmed
