"""Pulling: what arrives is what was published, and nothing of yours is overwritten."""

import os
import time
from pathlib import Path

import pytest

from pointsman import keys
from pointsman.errors import ContentMismatch, InvalidModel, NotFound
from pointsman.publishing import Progress
from pointsman.pulling import pull
from pointsman.stores import open_store
from tests.versions import put

FILES = {"model.onnx": b"m" * 70_000, "data/weights.bin": b"w", "empty": b""}


def test_all_files_arrive_where_they_were(store_url: str, tmp_path: Path) -> None:
    store = open_store(store_url)
    version = put(store, "v1", FILES)
    expected: dict[str, int] = {}
    sent = dict.fromkeys(FILES, 0)

    def count(name: str, size: int) -> None:
        sent[name] += size

    pull(store, version, tmp_path / "to", Progress(expect=expected.__setitem__, sent=count))

    found = {
        path.relative_to(tmp_path / "to").as_posix(): path.read_bytes()
        for path in (tmp_path / "to").rglob("*")
        if path.is_file()
    }
    assert found == FILES
    assert expected == sent == {name: len(data) for name, data in FILES.items()}


def test_an_interrupted_pull_goes_on_where_it_was(file_url: str, tmp_path: Path) -> None:
    store = open_store(file_url)
    version = put(store, "v1", FILES)
    lost = next(file for file in version.manifest.files if file.path == "model.onnx")
    data = FILES["model.onnx"]
    store.delete(keys.blob("m", lost.sha256))
    with pytest.raises(NotFound, match=r"has lost model\.onnx"):
        pull(store, version, tmp_path)
    there = tmp_path / "data" / "weights.bin"
    before = there.stat().st_ino

    store.create(keys.blob("m", lost.sha256), data)
    pull(store, version, tmp_path)

    assert there.stat().st_ino == before
    assert (tmp_path / "model.onnx").read_bytes() == data


def test_what_a_killed_pull_left_goes_once_it_is_a_day_old(file_url: str, tmp_path: Path) -> None:
    store = open_store(file_url)
    version = put(store, "v1", FILES)
    to = tmp_path / "to"
    (to / "data").mkdir(parents=True)
    old, young = to / "data" / ".staged-0123", to / "data" / ".staged-4567"
    for path in (old, young):
        path.write_bytes(b"half")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))

    pull(store, version, to)

    assert (old.exists(), young.exists()) == (False, True)


def test_a_flipped_bit_in_the_store_never_takes_a_file_s_name(
    store_url: str, tmp_path: Path
) -> None:
    store = open_store(store_url)
    version = put(store, "v1", FILES)
    file = next(file for file in version.manifest.files if file.path == "model.onnx")
    store.overwrite(keys.blob("m", file.sha256), b"n" + FILES["model.onnx"][1:])
    with pytest.raises(ContentMismatch):
        pull(store, version, tmp_path / "to")
    assert not (tmp_path / "to" / "model.onnx").exists()
    assert not [path for path in (tmp_path / "to").rglob("*") if path.name.startswith(".")]


def test_a_file_of_yours_is_not_overwritten(file_url: str, tmp_path: Path) -> None:
    store = open_store(file_url)
    version = put(store, "v1", FILES)
    (tmp_path / "model.onnx").write_bytes(b"mine")
    with pytest.raises(InvalidModel, match="other content"):
        pull(store, version, tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == b"mine"


def test_a_link_does_not_lead_files_elsewhere(file_url: str, tmp_path: Path) -> None:
    store = open_store(file_url)
    version = put(store, "v1", FILES)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidModel, match="link out of"):
        pull(store, version, tmp_path / "to")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_directory_that_cannot_be_made_is_one_sentence(file_url: str, tmp_path: Path) -> None:
    store = open_store(file_url)
    version = put(store, "v1", FILES)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InvalidModel, match="cannot write"):
        pull(store, version, tmp_path / "file")
