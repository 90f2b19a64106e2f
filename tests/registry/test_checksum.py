"""Checksums: a manifest's promise about a file is kept or broken, by whichever digest."""

import hashlib
from pathlib import Path

import pytest

import pointsman
from pointsman import checksum, transfer
from pointsman.errors import ContentMismatch
from pointsman.hashing import hashed
from pointsman.manifest import File
from pointsman.stores import open_store
from tests import models

# Source: test_vectors.json of the BLAKE3 reference implementation, for no input at all.
OF_NOTHING = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
LARGE = bytes(range(256)) * 8192


def file_of(data: bytes, *, blake3: str = "") -> File:
    digest = hashlib.sha256(data).hexdigest()
    return File(path="model.onnx", size=len(data), sha256=digest, blake3=blake3)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    return path


def test_blake3_is_blake3() -> None:
    found = checksum.blake3()
    assert found is not None
    assert found.hexdigest() == OF_NOTHING


def test_a_large_file_has_both_digests_and_a_small_one_the_one_it_is_called_by(
    large: Path, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.write_bytes(b"x")
    both, one, whole = hashed(large), hashed(small), checksum.blake3()
    assert whole is not None
    whole.update(LARGE)
    assert (both.sha256, both.blake3) == (hashlib.sha256(LARGE).hexdigest(), whole.hexdigest())
    assert (one.sha256, one.blake3) == (hashlib.sha256(b"x").hexdigest(), "")


@pytest.mark.parametrize("fast", [True, False])
def test_a_file_is_intact_if_it_has_the_promised_bytes_and_no_others(
    large: Path, *, fast: bool
) -> None:
    promised = file_of(LARGE, blake3=hashed(large).blake3 if fast else "")
    assert checksum.is_intact(large, promised)
    assert not checksum.is_intact(large.with_name("missing"), promised)
    assert not checksum.is_intact(large.parent, promised)
    large.write_bytes(LARGE[:-1] + b"?")
    assert not checksum.is_intact(large, promised)
    large.write_bytes(LARGE + b"?")
    assert not checksum.is_intact(large, promised)


def test_readers_go_by_the_faster_digest_and_without_the_library_by_the_other(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    neither = file_of(b"", blake3="0" * 64)
    right = File(path="x", size=len(LARGE), sha256=neither.sha256, blake3=hashed(large).blake3)
    assert checksum.is_intact(large, right)
    monkeypatch.setattr(checksum, "_library", lambda: None)
    assert not checksum.is_intact(large, right)
    assert checksum.is_intact(large, file_of(LARGE, blake3="0" * 64))
    assert hashed(large).blake3 == ""


@pytest.mark.parametrize("right", [True, False])
def test_what_comes_from_a_store_is_held_against_the_faster_digest(
    large: Path, file_url: str, *, right: bool
) -> None:
    store, known, to = open_store(file_url), hashed(large), large.with_name("to")
    store.upload("blobs/x", large, known.sha256, lambda _: None)
    promised = file_of(LARGE, blake3=known.blake3 if right else "0" * 64)
    assert transfer.is_intact(store, "blobs/x", promised, lambda _: None) == right
    if right:
        transfer.download(store, "blobs/x", promised, to, lambda _: None)
        assert to.read_bytes() == LARGE
    else:
        with pytest.raises(ContentMismatch):
            transfer.download(store, "blobs/x", promised, to, lambda _: None)


def test_the_same_content_is_the_same_whether_or_not_it_was_hashed_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = pointsman.open((tmp_path / "store").as_uri())
    path = models.heavy(tmp_path / "model.onnx", 1 << 20, 1)
    first = registry.publish("m", "v1", path).version
    assert [bool(file.blake3) for file in first.manifest.files] == [True]
    monkeypatch.setattr(checksum, "_library", lambda: None)
    assert registry.publish("m", "v1", path).version.digest == first.digest
    second = registry.publish("m", "v2", path).version
    assert [file.blake3 for file in second.manifest.files] == [""]
