"""Compressed bodies, good, broken and hostile."""

import gzip
import zlib

import pytest

from pointsman_service.api.compression import coding_of, compress, undo, wanted
from pointsman_service.errors import BodyTooLarge, EncodingUnsupported, InputInvalid

TEXT = b"pointsman " * 1000


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
def test_what_was_compressed_is_undone(coding: bytes) -> None:
    packed = compress(TEXT, coding)
    assert len(packed) < len(TEXT)
    assert undo(packed, coding, len(TEXT)) == TEXT
    assert undo(compress(b"", coding), coding, 0) == b""


def test_a_body_may_unpack_to_the_limit_and_no_further() -> None:
    packed = gzip.compress(TEXT)
    assert undo(packed, b"gzip", len(TEXT)) == TEXT
    with pytest.raises(BodyTooLarge, match=f"may have {len(TEXT) - 1} bytes"):
        undo(packed, b"gzip", len(TEXT) - 1)
    with pytest.raises(BodyTooLarge):
        undo(gzip.compress(bytes(50 << 20)), b"gzip", 1000)


def test_gzip_may_come_in_several_members() -> None:
    members = gzip.compress(b"one ") + gzip.compress(b"two")
    assert undo(members, b"gzip", 7) == b"one two"
    with pytest.raises(BodyTooLarge):
        undo(members, b"gzip", 6)


def test_thousands_of_members_do_not_keep_a_thread_busy() -> None:
    assert undo(gzip.compress(b"a") * 64, b"gzip", 64) == b"a" * 64
    with pytest.raises(InputInvalid, match="more than 64 parts"):
        undo(gzip.compress(b"") * 65, b"gzip", 1)


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"plain", b"gzip"),
        (b"plain", b"deflate"),
        (gzip.compress(TEXT)[:-4], b"gzip"),
        (gzip.compress(TEXT) + b"more", b"gzip"),
        (zlib.compress(TEXT)[:10], b"deflate"),
        (gzip.compress(TEXT), b"deflate"),
    ],
    # gzip writes the time into its header: as a part of a test's name it would differ between
    # workers, and they then refuse to run anything at all.
    ids=["no gzip", "no zlib", "cut short", "more behind it", "hardly begun", "another coding"],
)
def test_what_is_not_compressed_as_it_says_is_refused(body: bytes, coding: bytes) -> None:
    with pytest.raises(InputInvalid, match=coding.decode()):
        undo(body, coding, 1 << 20)


def test_the_coding_of_a_body_is_one_of_two_or_none() -> None:
    assert [coding_of(each) for each in (b"", b"identity", b"GZIP", b" deflate")] == [
        None, None, b"gzip", b"deflate",
    ]  # fmt: skip
    for other in (b"br", b"gzip, gzip", b"identity, gzip"):
        with pytest.raises(EncodingUnsupported):
            coding_of(other)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (b"", None),
        (b"identity", None),
        (b"br", None),
        (b"gzip", b"gzip"),
        (b"GZIP;q=0.5", b"gzip"),
        (b"gzip;q=0", None),
        (b"gzip;q=x", None),
        (b"gzip;q=0.2, deflate;q=0.8, br", b"deflate"),
        (b"br, deflate", b"deflate"),
    ],
)
def test_an_answer_is_compressed_as_the_client_likes_it(
    accepted: bytes, coding: bytes | None
) -> None:
    assert wanted(accepted, 5000, dense=False) == coding
    assert wanted(accepted, 100, dense=False) is None, "too small to gain anything"


def test_dense_answers_are_compressed_for_those_who_name_one_coding_only() -> None:
    assert wanted(b"gzip", 5000, dense=True) == b"gzip"
    assert wanted(b"gzip, deflate", 5000, dense=True) is None
