"""A file is hashed once, and recognised afterwards unless it may have changed."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from pointsman.digest import verified_parts
from pointsman.errors import InvalidModel
from pointsman.hashing import Fingerprint, hashed
from pointsman.stores import open_store

YESTERDAY = time.time() - 86_400


@pytest.fixture
def settled(tmp_path: Path) -> Path:
    """A file that nobody touched for a while; its inode's own clock cannot be set back."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    deadline = time.monotonic() + 120
    while hashed(path).fingerprint is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return path


def ignore(_: int) -> None:
    """Take note of no progress."""


def fingerprint_of(path: Path) -> Fingerprint:
    found = hashed(path).fingerprint
    assert found is not None
    return found


def test_a_file_that_was_just_written_is_not_yet_recognised(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    os.utime(path, (YESTERDAY, YESTERDAY))  # as unpacking an archive does

    known = hashed(path)

    assert known.sha256 == hashlib.sha256(b"x").hexdigest()
    assert known.fingerprint is None


def test_an_unchanged_file_is_not_hashed_again(settled: Path) -> None:
    wrong = "0" * 64  # which hashing again would find out
    parts = verified_parts(settled, wrong, 4, ignore, fingerprint_of(settled))
    assert b"".join(parts) == b"0123456789"


@pytest.mark.parametrize("change", ["content", "appended", "replaced", "touched back"])
def test_a_change_of_any_kind_ends_the_upload(settled: Path, file_url: str, change: str) -> None:
    fingerprint, status = fingerprint_of(settled), settled.stat()
    match change:
        case "appended":
            with settled.open("ab") as file:
                file.write(b"x")
        case "replaced":
            other = settled.with_name("other")
            other.write_bytes(b"9876543210")
            other.replace(settled)
        case _:
            settled.write_bytes(b"9876543210")
    if change == "touched back":
        os.utime(settled, ns=(status.st_atime_ns, status.st_mtime_ns))
    store = open_store(file_url)

    with pytest.raises(InvalidModel, match="changed while it was being published"):
        store.upload("blobs/x", settled, "0" * 64, ignore, fingerprint)

    assert list(store.scan("blobs/")) == []
