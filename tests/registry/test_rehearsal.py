"""A rehearsal: the store's rules, and nothing that reaches the store."""

import pytest

from pointsman.errors import ChannelConflict, NothingToRollBack, ObjectExists, ObjectNotFound
from pointsman.registry import Registry
from pointsman.stores.rehearsal import Rehearsal
from tests.fakes.memory_store import MemoryStore
from tests.registry.versions import MODEL, store_version


@pytest.fixture
def store() -> MemoryStore:
    """A store with v1 and v2, and v1 active."""
    store = MemoryStore()
    for version in ("v1", "v2"):
        store_version(store, version)
    Registry(store).activate(MODEL, "v1")
    return store


def test_changes_build_on_each_other_and_the_store_sees_none(store: MemoryStore) -> None:
    rehearsed = Registry(Rehearsal(store))

    rehearsed.activate(MODEL, "v2")
    assert rehearsed.rollback(MODEL).generation == 3
    with pytest.raises(NothingToRollBack):
        rehearsed.rollback(MODEL)
    with pytest.raises(ChannelConflict):
        rehearsed.activate(MODEL, "v2", if_generation=1)

    assert Registry(store).channel(MODEL, "production").generation == 1


def test_a_first_activation_is_rehearsed_too(store: MemoryStore) -> None:
    assert Registry(Rehearsal(store)).activate(MODEL, "v2", "staging").generation == 1
    assert list(store.scan(f"models/{MODEL}/channels/")) != []
    with pytest.raises(ObjectNotFound):
        store.head(f"models/{MODEL}/channels/staging.json")


def test_documents_are_created_once_and_deleted_for_good(store: MemoryStore) -> None:
    rehearsal = Rehearsal(store)
    rehearsal.create("a.json", b"1")
    with pytest.raises(ObjectExists):
        rehearsal.create("a.json", b"2")
    rehearsal.delete("a.json")
    with pytest.raises(ObjectNotFound):
        rehearsal.get("a.json")
    rehearsal.create("a.json", b"3")
    stored = rehearsal.get("a.json")
    assert stored is not None
    assert stored.data == b"3"
    assert rehearsal.get("a.json", stored.info.etag) is None
