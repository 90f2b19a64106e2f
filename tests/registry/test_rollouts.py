"""Rollouts in a store: what is looked up, demanded and written when a canary or shadow changes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pointsman import document, keys
from pointsman.channel import Channel
from pointsman.errors import (
    ChannelConflict,
    InvalidRollout,
    NotFound,
    Untrusted,
)
from pointsman.manifest import TensorSpec, Version, seal
from pointsman.registry import Registry
from pointsman.signing.keypair import SigningKey
from pointsman.signing.notary import Notary
from pointsman.signing.trust import Trust
from pointsman.stores import open_store
from tests.fakes.interleaved_store import InterleavedStore
from tests.fakes.memory_store import MemoryStore
from tests.fakes.unreliable_store import FlakyStore
from tests.registry.versions import MODEL, manifest, store_version

KEY = SigningKey.generate()
Step = Callable[[], Channel]
CHANNEL = keys.channel(MODEL, "production")


def filled(store: MemoryStore, *names: str) -> MemoryStore:
    for version in names or ("v1", "v2", "v3"):
        store_version(store, version)
    return store


@pytest.fixture
def registry() -> Registry:
    """A registry in memory with v1, v2 and v3 of one model, and v1 active."""
    registry = Registry(filled(MemoryStore()))
    registry.activate(MODEL, "v1")
    return registry


def now(registry: Registry) -> Channel:
    return registry.channel(MODEL, "production")


def test_a_canary_is_started_moved_and_promoted_on_a_real_store(store_url: str) -> None:
    store = open_store(store_url)
    for version in ("v1", "v2"):
        store_version(store, version)
    registry = Registry(store)
    registry.activate(MODEL, "v1")

    rollout = registry.rollout(MODEL, why="better on sevens", by="ada")
    rollout.start("v2", weight=5)
    assert rollout.set(50).canary == registry.channel(MODEL, "production").canary
    rollout.promote()

    history = now(registry).history
    assert [change.action for change in history] == ["activate", "start", "set", "promote"]
    assert (history[-1].by, history[-1].why) == ("ada", "better on sevens")
    assert history[-1].host
    assert now(registry).stable.version == "v2"


def test_a_shadow_comes_and_goes(registry: Registry) -> None:
    registry.rollout(MODEL).shadow("v2", percent=10)
    shadow = now(registry).shadow
    assert shadow is not None
    assert (shadow.version, shadow.percent) == ("v2", 10)
    assert registry.rollout(MODEL).end_shadow().shadow is None


def test_what_was_never_published_cannot_begin(registry: Registry) -> None:
    begins: list[Step] = [
        lambda: registry.rollout(MODEL).start("v9", weight=5),
        lambda: registry.rollout(MODEL).shadow("v9", percent=5),
    ]
    for begin in begins:
        with pytest.raises(NotFound, match="there is no version v9") as caught:
            begin()
        assert "models list" in caught.value.hint
    assert now(registry).generation == 1


def test_a_channel_in_which_nothing_is_active_takes_no_canary() -> None:
    registry = Registry(filled(MemoryStore()))
    with pytest.raises(NotFound, match="nothing is active") as caught:
        registry.rollout(MODEL).start("v1", weight=5)
    assert "pointsman activate" in caught.value.hint


def wider(store: MemoryStore) -> Version:
    """Put v4 into a store: it takes another input, and gives what the others do."""
    version = seal(
        manifest(version="v4", inputs=(TensorSpec(name="x", datatype="FP32", shape=(-1, 8)),))
    )
    store.create(keys.manifest(MODEL, "v4"), version.document)
    return version


def test_other_tensors_are_refused_with_the_difference_unless_forced(registry: Registry) -> None:
    assert isinstance(registry.store, MemoryStore)
    wider(registry.store)

    with pytest.raises(InvalidRollout, match=r"input x: FP32\[-1,4\] → FP32\[-1,8\]") as caught:
        registry.rollout(MODEL).start("v4", weight=5)
    assert "--force" in caught.value.hint
    with pytest.raises(InvalidRollout, match="does not take and give"):
        registry.rollout(MODEL).shadow("v4", percent=5)
    assert now(registry).generation == 1

    assert registry.rollout(MODEL).start("v4", weight=5, force=True).canary is not None


def test_a_generation_that_others_moved_past_is_a_conflict(registry: Registry) -> None:
    stale = registry.rollout(MODEL, if_generation=1)
    registry.rollout(MODEL).start("v2", weight=5)

    changes: list[Step] = [
        lambda: stale.start("v3", 5),
        lambda: stale.set(9),
        stale.promote,
        stale.abort,
    ]
    for change in changes:
        with pytest.raises(ChannelConflict, match="generation 2"):
            change()


def test_of_many_who_start_a_canary_at_once_one_wins_and_the_others_are_told(
    registry: Registry,
) -> None:
    def begin(version: str) -> str:
        try:
            registry.rollout(MODEL).start(version, weight=5)
        except InvalidRollout as error:
            return error.message
        return "started"

    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(begin, ["v2", "v3"] * 4))

    winner = now(registry).canary
    assert winner is not None
    assert now(registry).generation == 2
    assert {end for end in ends if end != "started"} == {
        f"the canary {winner.version} runs already, and gets 5 % of requests"
    }


def test_a_lost_answer_to_a_start_is_recognised_as_ones_own_write(registry: Registry) -> None:
    flaky = Registry(FlakyStore(registry.store, "update"))
    assert flaky.rollout(MODEL).start("v2", weight=5).generation == 2
    assert now(registry).generation == 2


def test_a_version_that_is_pruned_while_it_begins_is_ended_again(registry: Registry) -> None:
    gone = keys.manifest(MODEL, "v2")
    there = registry.store.get(gone)
    assert there is not None
    for before in range(1, 12):
        store = InterleavedStore(registry.store, before, lambda: registry.store.delete(gone))
        try:
            Registry(store).rollout(MODEL).start("v2", weight=5)
        except NotFound:
            assert now(registry).canary is None
        else:
            assert store.calls < before
        if now(registry).canary is not None:
            registry.rollout(MODEL).abort()
        registry.store.overwrite(gone, there.data)


def test_renewing_moves_the_generation_and_nothing_else(registry: Registry) -> None:
    registry.rollout(MODEL).start("v2", weight=5)
    before = now(registry)
    after = registry.rollout(MODEL, why="try again").renew()
    assert (after.generation, after.named) == (before.generation + 1, before.named)


def test_activating_again_moves_the_generation_only_where_it_is_asked_for(
    registry: Registry,
) -> None:
    assert registry.activate(MODEL, "v1").generation == 1
    assert registry.activate(MODEL, "v1", again=True).generation == 2
    assert registry.activate(MODEL, "v2", again=True).generation == 3


def test_how_long_a_version_must_have_been_healthy_is_passed_on(registry: Registry) -> None:
    registry.activate(MODEL, "v2")
    registry.activate(MODEL, "v3")
    assert registry.rollback(MODEL, healthy_seconds=3600).stable.version == "v2"


@pytest.fixture
def signed() -> Registry:
    """A registry whose v1 and v2 are signed, with v1 active; v3 is not."""
    store = filled(MemoryStore())
    registry = Registry(store, Notary(KEY))
    for version in ("v1", "v2"):
        registry.notary.sign_version(store, registry.version(MODEL, version))
    registry.activate(MODEL, "v1")
    return registry


def believed(registry: Registry) -> bool:
    stored = registry.store.get(CHANNEL)
    assert stored is not None
    try:
        Trust([KEY.public]).check_channel(MODEL, "production", stored.data)
    except Untrusted:
        return False
    return True


def test_every_step_of_a_rollout_is_signed(signed: Registry) -> None:
    steps: list[Step] = [
        lambda: signed.rollout(MODEL).shadow("v2", 10),
        lambda: signed.rollout(MODEL).start("v2", 5),
        lambda: signed.rollout(MODEL).set(50),
        lambda: signed.rollout(MODEL).abort(),
        lambda: signed.rollout(MODEL).start("v2", 5),
        lambda: signed.rollout(MODEL).promote(),
    ]
    for step in steps:
        step()
        assert believed(signed)
    assert now(signed).generation == 7


def test_an_unsigned_version_becomes_neither_canary_nor_shadow(signed: Registry) -> None:
    with pytest.raises(Untrusted, match="version v3 of digits is not signed"):
        signed.rollout(MODEL).start("v3", 5)
    with pytest.raises(Untrusted, match="version v3 of digits is not signed"):
        signed.rollout(MODEL).shadow("v3", 5)


def test_without_the_key_no_step_is_taken(signed: Registry) -> None:
    signed.rollout(MODEL).start("v2", 5)
    keyless = Registry(signed.store).rollout(MODEL)
    steps: list[Step] = [lambda: keyless.set(50), keyless.promote, keyless.abort]
    for step in steps:
        with pytest.raises(Untrusted, match="no signing key"):
            step()
    assert now(signed).generation == 2


def test_a_canary_that_somebody_else_wrote_into_the_channel_is_never_vouched_for(
    signed: Registry,
) -> None:
    """A thief can write, and cannot sign; whoever signs next must not do it for them."""
    signed.rollout(MODEL).start("v2", 5)
    stored = signed.store.get(CHANNEL)
    assert stored is not None
    tampered = document.members(stored.data, "it")
    for place in (tampered, tampered["history"][-1]):
        place["canary"]["weight"] = 100
    signed.store.overwrite(CHANNEL, document.encode(tampered))

    with pytest.raises(Untrusted, match="cannot be relied on"):
        signed.rollout(MODEL).promote()
    with pytest.raises(Untrusted, match="cannot be relied on"):
        signed.rollout(MODEL).abort()

    moved = signed.activate(MODEL, "v1")
    assert (moved.canary, moved.stable.version) == (None, "v1")
    assert believed(signed)
