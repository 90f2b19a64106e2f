"""What every store promises: one suite over a directory, two S3s, Google, and one in memory."""

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pointsman.document import MAX_DOCUMENT_BYTES
from pointsman.errors import (
    InvalidDocument,
    InvalidModel,
    ObjectExists,
    ObjectNotFound,
    PointsmanError,
    PreconditionFailed,
    StoreError,
    StoreMisconfigured,
)
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from tests.registry.versions import bytes_of


def ignore(_: int) -> None:
    """Take note of no progress."""


def file_of(path: Path, size: int) -> tuple[Path, str]:
    data = os.urandom(size)
    path.write_bytes(data)
    return path, hashlib.sha256(data).hexdigest()


def test_what_is_created_can_be_read_with_its_size_and_an_etag(store: ObjectStore) -> None:
    store.create("a/b/doc.json", b"{}")

    stored = store.get("a/b/doc.json")

    assert stored is not None
    assert (stored.data, stored.info.key, stored.info.size) == (b"{}", "a/b/doc.json", 2)
    assert stored.info.etag


def test_a_second_create_is_refused_and_changes_nothing(store: ObjectStore) -> None:
    store.create("a/doc.json", b"first")

    with pytest.raises(ObjectExists):
        store.create("a/doc.json", b"second")

    stored = store.get("a/doc.json")
    assert stored is not None
    assert stored.data == b"first"


def test_overwrite_replaces_whatever_is_there(store: ObjectStore) -> None:
    store.overwrite("a/doc.json", b"first")
    store.overwrite("a/doc.json", b"second")

    stored = store.get("a/doc.json")
    assert stored is not None
    assert stored.data == b"second"


def test_update_needs_the_present_etag(store: ObjectStore) -> None:
    store.create("a/doc.json", b"first")
    before = store.head("a/doc.json").etag
    store.update("a/doc.json", b"second", before)

    with pytest.raises(PreconditionFailed):
        store.update("a/doc.json", b"third", before)

    stored = store.get("a/doc.json")
    assert stored is not None
    assert stored.data == b"second"
    assert stored.info.etag != before


def test_update_of_a_missing_document_fails_its_precondition(store: ObjectStore) -> None:
    with pytest.raises(PreconditionFailed):
        store.update("a/doc.json", b"data", '"0123"')


def test_update_without_an_etag_is_refused_rather_than_unconditional(store: ObjectStore) -> None:
    store.create("a/doc.json", b"first")

    with pytest.raises((StoreMisconfigured, PreconditionFailed)):
        store.update("a/doc.json", b"second", "")

    stored = store.get("a/doc.json")
    assert stored is not None
    assert stored.data == b"first"


def test_get_with_the_present_etag_answers_nothing_new(store: ObjectStore) -> None:
    store.create("a/doc.json", b"first")
    stored = store.get("a/doc.json")
    assert stored is not None

    assert store.get("a/doc.json", stored.info.etag) is None
    store.update("a/doc.json", b"second", stored.info.etag)
    changed = store.get("a/doc.json", stored.info.etag)
    assert changed is not None
    assert changed.data == b"second"


def test_head_and_get_agree_on_the_etag(store: ObjectStore) -> None:
    store.create("a/doc.json", b"data")
    stored = store.get("a/doc.json")
    assert stored is not None
    assert store.head("a/doc.json") == stored.info


@pytest.mark.parametrize(
    "read",
    [
        lambda store: store.get("a/nothing.json"),
        lambda store: store.get("a/nothing.json", '"0123"'),
        lambda store: store.head("a/nothing.json"),
        lambda store: bytes_of(store, "a/nothing.json", 0, 1),
    ],
    ids=["get", "conditional get", "head", "get_range"],
)
def test_reading_what_is_not_there_is_object_not_found(
    store: ObjectStore, read: Callable[[ObjectStore], object]
) -> None:
    with pytest.raises(ObjectNotFound):
        read(store)


def test_a_document_that_is_no_document_is_not_read_into_memory(
    store: ObjectStore, tmp_path: Path
) -> None:
    path, sha256 = file_of(tmp_path / "blob", MAX_DOCUMENT_BYTES + 1)
    store.upload("a/doc.json", path, sha256, ignore)

    with pytest.raises(InvalidDocument, match="not a document"):
        store.get("a/doc.json")


def test_scan_finds_what_lies_under_the_prefix_and_nothing_else(store: ObjectStore) -> None:
    for key in ("m/a/1.json", "m/a/2.json", "m/a/deep/3.json", "m/ab/4.json", "n/5.json"):
        store.create(key, b"data")

    found = sorted(info.key for info in store.scan("m/a/"))

    assert found == ["m/a/1.json", "m/a/2.json", "m/a/deep/3.json"]
    assert list(store.scan("nowhere/")) == []


def test_folders_are_the_names_that_lead_further(store: ObjectStore) -> None:
    for key in ("m/a/1.json", "m/b/c/2.json", "m/plain.json"):
        store.create(key, b"data")

    assert store.folders("m/") == ["a", "b"]
    assert store.folders("nowhere/") == []


@pytest.mark.parametrize("size", [0, 1, 100_000, (8 << 20) + 1, 20 << 20])
def test_an_uploaded_file_arrives_whole_and_is_reported(
    store: ObjectStore, tmp_path: Path, size: int
) -> None:
    path, sha256 = file_of(tmp_path / "blob", size)
    reported: list[int] = []

    store.upload("blobs/x", path, sha256, reported.append)

    assert store.head("blobs/x").size == size
    assert sum(reported) == size
    if size:
        assert bytes_of(store, "blobs/x", 0, size) == path.read_bytes()


def test_a_range_is_exactly_that_part(store: ObjectStore, tmp_path: Path) -> None:
    path, sha256 = file_of(tmp_path / "blob", 1000)
    store.upload("blobs/x", path, sha256, ignore)

    assert bytes_of(store, "blobs/x", 100, 50) == path.read_bytes()[100:150]
    assert len(bytes_of(store, "blobs/x", 990, 50)) == 10


def test_a_range_beyond_the_end_is_a_store_error(store: ObjectStore, tmp_path: Path) -> None:
    path, sha256 = file_of(tmp_path / "blob", 10)
    store.upload("blobs/x", path, sha256, ignore)

    with pytest.raises(StoreError):
        bytes_of(store, "blobs/x", 20, 5)


@pytest.mark.parametrize("size", [100, 20 << 20])
def test_a_file_that_changed_since_it_was_hashed_is_never_stored(
    store: ObjectStore, tmp_path: Path, size: int
) -> None:
    path, sha256 = file_of(tmp_path / "blob", size)
    path.write_bytes(os.urandom(size))

    with pytest.raises(InvalidModel, match="changed while it was being published"):
        store.upload("blobs/x", path, sha256, ignore)

    with pytest.raises(ObjectNotFound):
        store.head("blobs/x")


def test_a_file_that_vanished_is_the_publishers_trouble_and_not_the_stores(
    store: ObjectStore, tmp_path: Path
) -> None:
    with pytest.raises(InvalidModel, match="cannot read"):
        store.upload("blobs/x", tmp_path / "gone", "0" * 64, ignore)


def test_delete_removes_and_is_content_with_nothing(store: ObjectStore) -> None:
    store.create("a/doc.json", b"data")
    store.delete("a/doc.json")
    store.delete("a/doc.json")

    with pytest.raises(ObjectNotFound):
        store.head("a/doc.json")


def test_in_a_directory_an_update_is_dated_after_what_it_replaces(
    file_url: str, tmp_path: Path
) -> None:
    """The date is a part of the ETag: were it the same, a reused inode would complete the lie."""
    store = open_store(file_url)
    store.create("a/doc.json", b"first")
    future = datetime.now(UTC) + timedelta(hours=1)
    os.utime(tmp_path / "store" / "a" / "doc.json", (future.timestamp(), future.timestamp()))
    before = store.head("a/doc.json")

    store.update("a/doc.json", b"other", before.etag)

    assert store.head("a/doc.json").modified > before.modified


def test_now_and_modified_are_by_the_same_clock(store: ObjectStore) -> None:
    store.create("a/doc.json", b"data")

    age = store.now() - store.head("a/doc.json").modified

    assert abs(age) < timedelta(minutes=1)
    assert abs(store.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_longest_names_can_be_updated(store: ObjectStore) -> None:
    key = f"models/{'m' * 128}/channels/{'c' * 128}.json"
    store.create(key, b"first")
    store.update(key, b"second", store.head(key).etag)

    stored = store.get(key)
    assert stored is not None
    assert stored.data == b"second"


def test_whatever_goes_wrong_leaves_a_store_as_one_of_our_errors(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    store = open_store((tmp_path / "file" / "below").as_uri())
    path, sha256 = file_of(tmp_path / "blob", 10)
    calls: list[Callable[[], object]] = [
        lambda: store.create("a/b.json", b""),
        lambda: store.overwrite("a/b.json", b""),
        lambda: store.update("a/b.json", b"", "etag"),
        lambda: store.upload("a/b", path, sha256, ignore),
    ]

    for call in calls:
        with pytest.raises(PointsmanError) as caught:
            call()
        assert "Not a directory" in caught.value.message
        assert caught.value.hint
