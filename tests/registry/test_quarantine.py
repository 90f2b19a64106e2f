"""Marks in the store that say which versions nobody shall try again."""

import msgspec
import pytest

from pointsman import document, keys, quarantine
from pointsman.errors import InvalidDocument, NotFound
from pointsman.quarantine import Mark
from tests.fakes.memory_store import MemoryStore

DIGEST, OTHER = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32
MARK = Mark(version="v2", digest=DIGEST, by="i-1", at="2026-01-01T00:00:00+00:00", why="all NaN")


def test_a_mark_is_found_by_the_digest_it_is_about() -> None:
    store = MemoryStore()
    assert quarantine.find(store, "m", DIGEST) is None
    assert quarantine.put(store, "m", MARK)
    assert quarantine.find(store, "m", DIGEST) == MARK
    assert quarantine.find(store, "m", OTHER) is None
    assert quarantine.find(store, "another", DIGEST) is None


def test_the_first_reason_stays() -> None:
    store = MemoryStore()
    quarantine.put(store, "m", MARK)
    assert not quarantine.put(store, "m", msgspec.structs.replace(MARK, by="i-2", why="slow"))
    assert quarantine.find(store, "m", DIGEST) == MARK


def test_marks_are_listed_and_what_is_none_is_left_out() -> None:
    store = MemoryStore()
    quarantine.put(store, "m", MARK)
    store.overwrite(keys.quarantine("m", "ef" * 32), b"not JSON")
    store.overwrite("models/m/quarantine/readme.txt", b"hands off")
    assert list(quarantine.marks(store, "m")) == [MARK]


def test_lifting_removes_the_mark_once() -> None:
    store = MemoryStore()
    quarantine.put(store, "m", MARK)
    quarantine.lift(store, "m", "v2", DIGEST)
    assert quarantine.find(store, "m", DIGEST) is None
    with pytest.raises(NotFound, match="v2 of m is not in quarantine"):
        quarantine.lift(store, "m", "v2", DIGEST)


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[",
        document.encode(msgspec.structs.replace(MARK, digest=OTHER)),
    ],
)
def test_a_mark_that_cannot_be_believed_is_an_error_and_not_permission(data: bytes) -> None:
    store = MemoryStore()
    store.overwrite(keys.quarantine("m", "ab" * 32), data)
    with pytest.raises(InvalidDocument):
        quarantine.find(store, "m", DIGEST)


def test_a_reason_of_any_length_makes_a_document_of_bounded_length() -> None:
    store = MemoryStore()
    quarantine.put(store, "m", msgspec.structs.replace(MARK, why="x" * (8 << 20)))
    mark = quarantine.find(store, "m", DIGEST)
    assert mark is not None
    assert len(mark.why) == quarantine.REASON_LIMIT


def test_a_mark_reads_as_a_sentence() -> None:
    at = "2026-01-01T00:00:00+00:00"
    assert str(MARK) == f"v2 was put in quarantine by i-1 on {at}: all NaN"
