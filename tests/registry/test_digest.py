"""Digests: how they are computed, and what passes for one."""

import hashlib
from pathlib import Path

import pytest

from pointsman.digest import hex_of, identity, verified_parts
from pointsman.errors import InvalidDocument, InvalidModel


def test_an_identity_is_the_sha256_with_its_name() -> None:
    assert identity(b"x") == f"sha256:{hashlib.sha256(b'x').hexdigest()}"
    assert hex_of(identity(b"x")) == hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    "text",
    ["", "sha256:", "a" * 64, "md5:" + "a" * 64, "sha256:" + "A" * 64, "sha256:" + "a" * 64 + "\n"],
)
def test_what_is_no_digest_never_becomes_a_path(text: str) -> None:
    with pytest.raises(InvalidDocument):
        hex_of(text)


def test_parts_end_well_only_if_they_are_what_was_promised(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    heard: list[int] = []

    parts = list(verified_parts(path, hashlib.sha256(b"0123456789").hexdigest(), 4, heard.append))

    assert parts == [b"0123", b"4567", b"89"]
    assert heard == [4, 4, 2]
    with pytest.raises(InvalidModel, match="changed"):
        list(verified_parts(path, "0" * 64, 4, heard.append))
