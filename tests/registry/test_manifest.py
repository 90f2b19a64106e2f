"""Manifests: what a good one says, and how the bad ones are found out."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pointsman import manifest as manifests
from pointsman.digest import identity
from pointsman.errors import InvalidDocument
from pointsman.manifest import MAX_FILES, File
from tests.registry.versions import manifest

Members = dict[str, Any]


def changed(change: Callable[[Members], None]) -> bytes:
    """The example's document after `change`."""
    members = json.loads(manifests.seal(manifest()).document)
    change(members)
    return json.dumps(members).encode()


def another_file(path: str, **others: Any) -> Callable[[Members], None]:
    file = {"path": path, "size": 1, "sha256": "b" * 64} | others
    return lambda members: members["files"].append(file)


def test_a_sealed_manifest_is_read_back_with_the_same_identity() -> None:
    sealed = manifests.seal(manifest(metrics={"accuracy": 0.97}, labels={"team": "vision"}))

    read = manifests.read(sealed.document, "digits", "v1")

    assert read == sealed
    assert read.digest == identity(sealed.document)


def test_equal_manifests_are_equal_bytes() -> None:
    one = manifests.seal(manifest(labels={"a": "1", "b": "2"}))
    two = manifests.seal(manifest(labels={"b": "2", "a": "1"}))
    assert one.document == two.document


def test_members_of_a_newer_writer_stay_in_the_bytes_and_in_the_identity() -> None:
    data = changed(lambda members: members.update(future={"nested": [1, 2]}))

    read = manifests.read(data, "digits", "v1")

    assert read.document == data
    assert read.digest == identity(data) != manifests.seal(manifest()).digest


@pytest.mark.parametrize(
    "change",
    [
        another_file("../secret"),
        another_file("/etc/passwd"),
        another_file("a/../../x"),
        another_file("a\\b"),
        another_file(""),
        another_file("model.onnx"),
        another_file("model.onnx/data.bin"),
        another_file("data.bin", size=-1),
        another_file("data.bin", size="1"),
        another_file("data.bin", sha256="b" * 63),
        another_file("data.bin", sha256="B" * 64),
        another_file("data.bin", sha256="../../../etc/passwd"),
        lambda members: members.update(entrypoint="other.onnx"),
        lambda members: members.update(entrypoint="../model.onnx"),
        lambda members: members.update(files=[]),
        lambda members: members.update(
            golden={"path": "golden.npz", "rows": 1, "rtol": 0.1, "atol": 0.1}
        ),
        lambda members: members.update(model="faces"),
        lambda members: members.update(version="v2"),
        lambda members: members.update(schema=2),
        lambda members: members.pop("files"),
        lambda members: members.update(metrics={"accuracy": "high"}),
        lambda members: members.update(
            files=[
                {"path": f"file{number}", "size": 1, "sha256": "b" * 64}
                for number in range(MAX_FILES + 1)
            ]
        ),
    ],
)
def test_a_manifest_that_must_not_be_trusted_is_refused(
    change: Callable[[Members], None],
) -> None:
    with pytest.raises(InvalidDocument, match="the manifest of digits v1"):
        manifests.read(changed(change), "digits", "v1")


def test_a_manifest_under_another_name_says_whose_it_is() -> None:
    with pytest.raises(InvalidDocument, match="speaks of digits v1"):
        manifests.read(manifests.seal(manifest()).document, "digits", "v2")


@pytest.mark.parametrize(
    "members",
    [
        {"metrics": {"accuracy": float("nan")}},
        {"note": "\udcff"},
        {"files": (File(path="../model.onnx", size=1, sha256="a" * 64),)},
        {"note": "x" * (4 << 20)},
    ],
    ids=["not a number", "not Unicode", "escaping", "too large"],
)
def test_nothing_is_sealed_that_could_not_be_read_again(members: Members) -> None:
    with pytest.raises(InvalidDocument):
        manifests.seal(manifest(**members))


def test_content_is_what_would_be_served_and_not_what_is_said_of_it() -> None:
    one = manifest()
    assert one.same_content(manifest(note="other", created="later", metrics={"a": 1.0}))
    assert not one.same_content(manifest(task={"kind": "text"}))
    assert not one.same_content(
        manifest(files=(File(path="model.onnx", size=10, sha256="b" * 64),))
    )


def test_a_tensor_is_written_as_people_write_it() -> None:
    assert str(manifest().inputs[0]) == "x FP32[-1,4]"
