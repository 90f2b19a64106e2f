"""The registry over a store: what is listed, and how a channel is moved among many writers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

import pointsman
from pointsman import channel_store, keys
from pointsman.channel import Channel, Pointer
from pointsman.errors import (
    ChannelConflict,
    ContentMismatch,
    InvalidName,
    NotFound,
    NothingToRollBack,
    StoreMisconfigured,
    StoreUnreachable,
)
from pointsman.registry import Registry
from pointsman.stores import open_store
from pointsman.stores.base import StoredObject
from tests.fakes.interleaved_store import InterleavedStore
from tests.fakes.memory_store import CarelessStore, MemoryStore
from tests.fakes.unreliable_store import FlakyStore, OfflineStore
from tests.registry.versions import MODEL, store_version

WRITERS = 8


@pytest.fixture
def registry() -> Registry:
    """A registry in memory with v1, v2 and v3 of one model, and nothing active."""
    store = MemoryStore()
    for version in ("v1", "v2", "v3"):
        store_version(store, version)
    return Registry(store)


def test_an_empty_registry_has_no_models_and_says_how_to_get_one(store_url: str) -> None:
    registry = pointsman.open(store_url)

    assert registry.models() == []
    with pytest.raises(NotFound) as caught:
        registry.versions(MODEL)
    assert "upload-model" in caught.value.hint


def test_models_and_versions_are_listed(store_url: str) -> None:
    registry = pointsman.open(store_url)
    for version in ("v2", "v10", "v1"):
        store_version(registry.store, version)

    assert registry.models() == [MODEL]
    assert [found.manifest.version for found in registry.versions(MODEL)] == ["v1", "v10", "v2"]


def test_blobs_without_a_manifest_make_no_model(registry: Registry) -> None:
    registry.store.create(keys.blob("leftover", "a" * 64), b"")
    registry.store.create("models/not a name/versions/v1.json", b"")

    assert registry.models() == [MODEL]


def test_what_else_lies_among_the_versions_is_not_taken_for_one(registry: Registry) -> None:
    for stray in ("README", "v1.json.bak", "old/v1.json", "a name.json"):
        registry.store.create(f"models/{MODEL}/versions/{stray}", b"")

    names = [version.manifest.version for version in registry.versions(MODEL)]
    assert names == ["v1", "v2", "v3"]


def test_a_version_pruned_while_the_list_is_made_is_left_out(registry: Registry) -> None:
    class Pruned(FlakyStore):
        def get(self, key: str, etag: str | None = None) -> StoredObject | None:
            if key == keys.manifest(MODEL, "v2"):
                self.delete(key)
            return super().get(key, etag)

    names = [found.manifest.version for found in Registry(Pruned(registry.store)).versions(MODEL)]
    assert names == ["v1", "v3"]


def test_a_version_that_was_never_published_is_not_found(registry: Registry) -> None:
    with pytest.raises(NotFound, match="there is no version v9 of digits"):
        registry.version(MODEL, "v9")


def test_a_channel_never_used_is_not_found_and_says_how_to_use_it(registry: Registry) -> None:
    for ask in (registry.channel, registry.rollback):
        with pytest.raises(NotFound) as caught:
            ask(MODEL, "production")
        assert "pointsman activate" in caught.value.hint


def test_activation_points_the_channel_at_the_version(registry: Registry) -> None:
    channel = registry.activate(MODEL, "v2", why="better", by="ada")

    assert registry.channel(MODEL, "production") == channel
    assert channel.stable.digest == registry.version(MODEL, "v2").digest
    assert (channel.history[-1].why, channel.history[-1].by) == ("better", "ada")


def test_activating_what_is_active_writes_nothing(registry: Registry) -> None:
    first = registry.activate(MODEL, "v1")
    etag = registry.store.head(keys.channel(MODEL, "production")).etag

    assert registry.activate(MODEL, "v1", why="again") == first
    assert registry.store.head(keys.channel(MODEL, "production")).etag == etag


def test_only_what_was_published_can_be_activated(registry: Registry) -> None:
    with pytest.raises(NotFound):
        registry.activate(MODEL, "v9")
    with pytest.raises(NotFound):
        registry.channel(MODEL, "production")


def test_bad_names_are_refused_before_the_store_is_asked() -> None:
    registry = Registry(OfflineStore(MemoryStore()))
    asked: list[Callable[[], object]] = [
        lambda: registry.version("../m", "v1"),
        lambda: registry.version("m", "../v1"),
        lambda: registry.channel("m", "a/b"),
        lambda: registry.activate("m", "v1/.."),
        lambda: registry.rollback("m", ".."),
    ]
    for ask in asked:
        with pytest.raises(InvalidName):
            ask()


def test_rollback_returns_to_the_version_before(registry: Registry) -> None:
    for version in ("v1", "v2", "v3"):
        registry.activate(MODEL, version)

    assert registry.rollback(MODEL).stable.version == "v2"
    assert registry.rollback(MODEL, to="v1").stable.version == "v1"
    with pytest.raises(NothingToRollBack):
        registry.rollback(MODEL)


def test_a_change_can_insist_on_the_generation_it_was_decided_on(registry: Registry) -> None:
    registry.activate(MODEL, "v1", if_generation=0)
    registry.activate(MODEL, "v2")

    changes: list[Callable[[], Channel]] = [
        lambda: registry.activate(MODEL, "v3", if_generation=1),
        lambda: registry.rollback(MODEL, if_generation=1),
    ]
    for change in changes:
        with pytest.raises(ChannelConflict, match="generation 2"):
            change()
    assert registry.rollback(MODEL, if_generation=2).generation == 3


def test_a_manifest_that_was_replaced_is_not_what_the_channel_names(registry: Registry) -> None:
    pointer = Pointer(version="v1", digest=registry.version(MODEL, "v2").digest)

    with pytest.raises(ContentMismatch, match="not the one its channel names"):
        registry.resolve(MODEL, pointer)


def test_many_writers_at_once_lose_no_change(store_url: str) -> None:
    store = open_store(store_url)
    for number in range(WRITERS):
        store_version(store, f"v{number}")

    def activate(number: int) -> Channel:
        return pointsman.open(store_url).activate(MODEL, f"v{number}")

    with ThreadPoolExecutor(WRITERS) as pool:
        channels = list(pool.map(activate, range(WRITERS)))

    final = pointsman.open(store_url).channel(MODEL, "production")
    assert sorted(channel.generation for channel in channels) == list(range(1, WRITERS + 1))
    assert {change.version for change in final.history} == {f"v{n}" for n in range(WRITERS)}
    assert [change.generation for change in final.history] == list(range(1, WRITERS + 1))


@pytest.mark.parametrize("lost", ["create", "update"])
def test_a_change_whose_answer_was_lost_is_recognised_and_made_once(
    registry: Registry, lost: str
) -> None:
    if lost == "update":
        registry.activate(MODEL, "v1")
    before = 1 if lost == "update" else 0

    channel = Registry(FlakyStore(registry.store, lost)).activate(MODEL, "v2")

    assert channel.generation == before + 1
    assert registry.channel(MODEL, "production") == channel


def test_a_change_overtaken_after_its_answer_was_lost_still_counts(registry: Registry) -> None:
    """Somebody else's change comes between the write and the look at what became of it."""
    registry.activate(MODEL, "v1")

    class Overtaken(FlakyStore):
        def update(self, key: str, data: bytes, etag: str) -> None:
            try:
                super().update(key, data, etag)
            finally:
                registry.activate(MODEL, "v3")

    channel = Registry(Overtaken(registry.store, "update")).activate(MODEL, "v2")

    served = [change.version for change in registry.channel(MODEL, "production").history]
    assert (channel.generation, channel.stable.version) == (2, "v2")
    assert served == ["v1", "v2", "v3"]


def test_two_who_roll_back_in_the_same_millisecond_are_told_apart(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same person, same machine, same moment: all that tells their changes apart is the nonce."""
    for version in ("v1", "v2", "v3"):
        registry.activate(MODEL, version)
    moment = datetime.now(UTC)
    clock = type("Stopped", (), {"now": lambda _zone: moment})
    monkeypatch.setattr(channel_store, "datetime", clock)
    reads = 2
    overtaken = InterleavedStore(
        registry.store, reads + 1, lambda: registry.rollback(MODEL, if_generation=3)
    )
    with pytest.raises(ChannelConflict, match="moved the channel to generation 4"):
        Registry(overtaken).rollback(MODEL, if_generation=3)
    assert registry.channel(MODEL, "production").stable.version == "v2"


def test_when_no_answer_comes_at_all_the_error_admits_that_it_does_not_know(
    registry: Registry,
) -> None:
    registry.activate(MODEL, "v1")

    class BreaksAfterWriting(FlakyStore):
        def update(self, key: str, data: bytes, etag: str) -> None:
            self._inner.update(key, data, etag)
            self._inner = OfflineStore(self._inner)
            raise StoreUnreachable("the connection broke")

    with pytest.raises(StoreUnreachable, match="does not tell whether") as caught:
        Registry(BreaksAfterWriting(registry.store)).activate(MODEL, "v2")
    assert "pointsman history" in caught.value.hint


def test_a_store_that_ignores_conditions_is_refused_for_channels() -> None:
    store = CarelessStore()
    store_version(store, "v1")
    registry = Registry(store)

    with pytest.raises(StoreMisconfigured, match="ignores the conditions"):
        registry.activate(MODEL, "v1")
    with pytest.raises(NotFound):
        registry.channel(MODEL, "production")
