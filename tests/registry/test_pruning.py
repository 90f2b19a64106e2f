"""Pruning on real stores: what goes, what stays, and who is kept out meanwhile."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from pointsman import document, keys, pruning
from pointsman.errors import InvalidDocument, NotFound, PruneRunning
from pointsman.lease import Lease
from pointsman.registry import Registry
from pointsman.reuse import Reuse
from pointsman.signing.keypair import SigningKey
from pointsman.signing.notary import Notary
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from tests.fakes.interleaved_store import LaterStore
from tests.versions import age, broken, names, put

DAY = timedelta(days=1)


def _three(store: ObjectStore) -> None:
    """Put v1, v2 and v3, each with a file of its own and one that all share."""
    for number in (1, 2, 3):
        created = datetime(2026, 1, number, tzinfo=UTC)
        files = {"a.onnx": b"own %d" % number, "shared.json": b"shared"}
        put(store, f"v{number}", files, created=created)


def _blobs(store: ObjectStore) -> int:
    return len(list(store.scan(keys.blobs("m"))))


def test_old_versions_go_with_the_blobs_that_only_they_used(store_url: str) -> None:
    store = LaterStore(open_store(store_url), DAY)
    _three(store)

    pruned = pruning.prune(store, "m", 1, "somebody")

    assert [each.manifest.version for each in pruned.removed] == ["v1", "v2"]
    assert [(each.manifest.version, why) for each, why in pruned.kept] == [
        ("v3", "among the newest")
    ]
    assert pruned.garbage.size == len(b"own 1own 2")
    assert names(store) == {"v3"}
    assert (_blobs(store), broken(store)) == (2, [])


def test_a_survey_says_what_a_prune_does_and_changes_nothing(store_url: str) -> None:
    store = LaterStore(open_store(store_url), DAY)
    _three(store)
    before = sorted(info.key for info in store.scan(keys.MODELS))

    surveyed = pruning.survey(store, "m", 1)

    assert sorted(info.key for info in store.scan(keys.MODELS)) == before
    pruned = pruning.prune(store, "m", 1, "somebody")
    assert [each.digest for each in surveyed.removed] == [each.digest for each in pruned.removed]
    assert surveyed.kept == pruned.kept
    assert surveyed.garbage == pruned.garbage


def test_what_channels_name_and_remember_stays(store_url: str) -> None:
    store = LaterStore(open_store(store_url), DAY)
    _three(store)
    put(store, "v0", {"a.onnx": b"never served"}, created=datetime(2025, 1, 1, tzinfo=UTC))
    registry = Registry(store)
    registry.activate("m", "v1", "staging")
    registry.activate("m", "v2", "staging")

    pruning.prune(store, "m", 1, "somebody")

    assert names(store) == {"v1", "v2", "v3"}
    assert registry.rollback("m", "staging").stable.version == "v1"
    assert broken(store) == []


def test_nothing_younger_than_a_day_is_touched(store_url: str) -> None:
    store = open_store(store_url)
    _three(store)
    store.create(keys.blob("m", "a" * 64), b"of an upload that goes on")

    pruned = pruning.prune(store, "m", 1, "somebody")

    assert (pruned.removed, pruned.garbage.blobs) == ((), ())
    assert names(store) == {"v1", "v2", "v3"}
    assert _blobs(store) == 5


def test_signatures_go_with_their_versions_and_others_stay(store_url: str) -> None:
    store = LaterStore(open_store(store_url), DAY)
    _three(store)
    notary = Notary(SigningKey.generate())
    registry = Registry(store, notary)
    for version in registry.versions("m"):
        notary.sign_version(store, version)

    pruning.prune(store, "m", 1, "somebody")

    assert len(list(store.scan(keys.signatures("m")))) == 1
    notary.check_version(store, registry.version("m", "v3"))


def test_notes_and_blobs_of_uploads_that_never_ended_are_collected_after_a_day(
    store_url: str,
) -> None:
    store = LaterStore(open_store(store_url), DAY)
    _three(store)
    store.create(keys.upload("m", "dead"), document.encode({"blobs": ["a" * 64]}))
    store.create(keys.blob("m", "a" * 64), b"left behind")

    pruning.prune(store, "m", 3, "somebody")

    assert list(store.scan(keys.uploads("m"))) == []
    assert _blobs(store) == 4


def test_a_publisher_s_note_protects_blobs_that_no_manifest_names(file_url: str) -> None:
    store = open_store(file_url)
    _three(store)
    version = Registry(store).version("m", "v1")
    file = version.manifest.files[0]
    age(file_url, 3 * DAY)

    with Reuse(store, version.manifest) as reuse:
        assert reuse.present(keys.blob("m", file.sha256), file.size)
        pruned = pruning.prune(store, "m", 1, "somebody")
        assert "v1" not in names(store)
        assert reuse.present(keys.blob("m", file.sha256), file.size)

    assert file.sha256 not in {info.key for info in pruned.garbage.blobs}
    assert list(store.scan(keys.uploads("m"))) == []


def test_young_blobs_need_no_note(file_url: str) -> None:
    store = open_store(file_url)
    version = put(store, "v1", {"a.onnx": b"1"})
    file = version.manifest.files[0]
    with Reuse(store, version.manifest) as reuse:
        assert reuse.present(keys.blob("m", file.sha256), file.size)
        assert not reuse.present(keys.blob("m", "b" * 64), 1)
        assert list(store.scan(keys.uploads("m"))) == []


def test_only_one_prunes_at_a_time_and_the_next_may(store_url: str) -> None:
    store = LaterStore(open_store(store_url), timedelta(0))
    _three(store)
    first = Lease(store, "m", "first")
    with pytest.raises(PruneRunning, match="by somebody else"):
        pruning.prune(store, "m", 1, "second")
    assert names(store) == {"v1", "v2", "v3"}
    first.release()
    pruning.prune(store, "m", 1, "second")
    assert list(store.scan("models/m/pruning")) == []


def test_a_lease_that_a_crash_left_behind_runs_out_and_its_holder_notices(store_url: str) -> None:
    store = open_store(store_url)
    _three(store)
    dead = Lease(store, "m", "dead")

    second = Lease(LaterStore(store, timedelta(minutes=3)), "m", "second")

    dead._renewed = (time.monotonic() - 30, time.time() - 30)
    with pytest.raises(PruneRunning, match="somebody else"):
        dead.hold()
    second.hold()
    second.release()


def test_a_holder_that_stood_still_gives_up_even_if_nobody_noticed(store_url: str) -> None:
    store = open_store(store_url)
    lease = Lease(store, "m", "asleep")
    lease._renewed = (time.monotonic(), time.time() - 60)
    with pytest.raises(PruneRunning, match="stood still"):
        lease.hold()


def test_a_lease_is_renewed_while_it_is_used(store_url: str) -> None:
    store = open_store(store_url)
    lease = Lease(store, "m", "busy")
    before = store.head(keys.pruning("m")).etag
    lease._renewed = (time.monotonic() - 30, time.time() - 30)
    lease.hold()
    assert store.head(keys.pruning("m")).etag != before
    lease.release()


@pytest.mark.parametrize("key", [keys.manifest("m", "v2"), keys.channel("m", "production")])
def test_what_cannot_be_read_ends_a_prune_before_anything_is_gone(store_url: str, key: str) -> None:
    store = LaterStore(open_store(store_url), DAY)
    _three(store)
    store.overwrite(key, b"rotten")
    before = _blobs(store)

    with pytest.raises(InvalidDocument):
        pruning.prune(store, "m", 1, "somebody")

    assert names(store) == {"v1", "v2", "v3"}
    assert _blobs(store) == before


def test_what_others_left_beside_our_objects_is_in_nobodys_way(store_url: str) -> None:
    store = LaterStore(open_store(store_url), DAY)
    _three(store)
    store.create("models/m/versions/README.md", b"hello")
    pruning.prune(store, "m", 1, "somebody")
    assert "models/m/versions/README.md" in {info.key for info in store.scan(keys.versions("m"))}


def test_a_model_that_is_not_there_is_said_to_be_missing(store_url: str) -> None:
    store = open_store(store_url)
    with pytest.raises(NotFound, match="no model named m"):
        pruning.prune(store, "m", 1, "somebody")
    assert list(store.scan(keys.MODELS)) == []
