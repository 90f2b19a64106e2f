"""Copying between stores: the very same version arrives, or nothing does."""

from pathlib import Path

import pytest

from pointsman import keys
from pointsman.copying import copy
from pointsman.errors import ContentMismatch, VersionExists
from pointsman.registry import Registry
from pointsman.signing import signatures
from pointsman.signing.keypair import SigningKey
from pointsman.signing.notary import Notary
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from tests.versions import put

FILES = {"model.onnx": b"m" * 70_000, "data/weights.bin": b"w", "twice.bin": b"w", "empty": b""}
KEY = SigningKey.generate()


@pytest.fixture
def target(tmp_path: Path) -> ObjectStore:
    """An empty store elsewhere."""
    return open_store((tmp_path / "target").as_uri())


def names(store: ObjectStore) -> set[str]:
    return {info.key for info in store.scan("models/")}


def test_the_very_same_version_arrives_with_its_signatures(
    store_url: str, target: ObjectStore
) -> None:
    source = open_store(store_url)
    version = put(source, "v1", FILES)
    Notary(KEY).sign_version(source, version)
    done = copy(source, version, target)
    assert done.created
    assert done.bytes == 70_001
    assert names(target) == names(source)
    there = Registry(target).version("m", "v1")
    assert (there.digest, there.document) == (version.digest, version.document)
    assert len(signatures.find(target, there, [KEY.public.id])) == 1
    Registry(target, Notary(trusted=[KEY.public])).notary.check_version(target, there)


def test_what_is_there_is_not_sent_again(file_url: str, target: ObjectStore) -> None:
    source = open_store(file_url)
    copy(source, put(source, "v1", FILES), target)
    again = copy(source, Registry(source).version("m", "v1"), target)
    assert (again.created, again.bytes) == (False, 0)
    second = put(source, "v2", FILES | {"model.onnx": b"n" * 10})
    assert copy(source, second, target).bytes == 10


def test_a_signature_that_came_later_is_brought_later(file_url: str, target: ObjectStore) -> None:
    source = open_store(file_url)
    version = put(source, "v1", FILES)
    copy(source, version, target)
    Notary(KEY).sign_version(source, version)
    copy(source, version, target)
    assert len(signatures.find(target, version, [KEY.public.id])) == 1


def test_another_version_of_that_name_is_never_replaced(file_url: str, target: ObjectStore) -> None:
    source = open_store(file_url)
    other = put(target, "v1", {"model.onnx": b"other"})
    with pytest.raises(VersionExists, match="with another digest"):
        copy(source, put(source, "v1", FILES), target)
    assert Registry(target).version("m", "v1").digest == other.digest


def test_bytes_that_are_wrong_are_not_passed_on(file_url: str, target: ObjectStore) -> None:
    source = open_store(file_url)
    version = put(source, "v1", FILES)
    file = next(each for each in version.manifest.files if each.path == "model.onnx")
    source.overwrite(keys.blob("m", file.sha256), b"x" * file.size)
    with pytest.raises(ContentMismatch):
        copy(source, version, target)
    assert keys.manifest("m", "v1") not in names(target)
