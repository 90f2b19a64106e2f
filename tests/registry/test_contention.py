"""Twenty at once on a real S3: nobody's version is lost, no move of a channel is undone."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec

from pointsman import manifest, publishing
from pointsman.digest import identity
from pointsman.errors import VersionExists
from pointsman.publishing import Prepared
from pointsman.registry import Registry
from pointsman.stores import open_store
from tests import models
from tests.registry.versions import MODEL, store_version

CROWD = 20


def as_of(prepared: Prepared, number: int) -> Prepared:
    """The same files as another publisher would describe them."""
    described = msgspec.structs.replace(prepared.version.manifest, note=f"publisher {number}")
    return replace(prepared, version=manifest.seal(described))


def test_of_twenty_publishers_of_one_name_one_creates_it_and_the_same_content_is_no_conflict(
    s3_url: str, tmp_path: Path
) -> None:
    ours = publishing.prepare(MODEL, "v1", models.affine(tmp_path / "ours" / "model.onnx"))
    theirs = publishing.prepare(MODEL, "v1", models.affine(tmp_path / "b" / "model.onnx", 3.0))

    def publish(prepared: Prepared) -> str:
        try:
            published = publishing.commit(open_store(s3_url), prepared)
        except VersionExists:
            return "refused"
        return "created" if published.created else "already there"

    with ThreadPoolExecutor(CROWD) as pool:
        crowd = [as_of((ours, theirs)[number % 2], number) for number in range(CROWD)]
        ends = list(pool.map(publish, crowd))

    assert ends.count("created") == 1
    assert ends.count("refused") == CROWD // 2
    winner = (ours, theirs)[ends.index("created") % 2]
    found = Registry(open_store(s3_url)).version(MODEL, "v1")
    assert found.manifest.same_content(winner.version.manifest)
    assert found.digest == identity(found.document)


def test_of_twenty_activators_each_moves_the_channel_exactly_once(s3_url: str) -> None:
    store = open_store(s3_url)
    versions = [f"v{number}" for number in range(CROWD)]
    for version in versions:
        store_version(store, version)

    def activate(version: str) -> None:
        Registry(open_store(s3_url)).activate(MODEL, version, by=version)

    with ThreadPoolExecutor(CROWD) as pool:
        list(pool.map(activate, versions))

    channel = Registry(store).channel(MODEL, "production")
    assert channel.generation == CROWD
    assert sorted(change.version for change in channel.history) == sorted(versions)
    assert [change.generation for change in channel.history] == list(range(1, CROWD + 1))


def test_twenty_publishers_of_different_names_share_the_blobs_they_have_in_common(
    s3_url: str, tmp_path: Path
) -> None:
    source = models.affine(tmp_path / "model.onnx")

    def publish(number: int) -> None:
        store_version(open_store(s3_url), f"v{number}", {"model.onnx": source.read_bytes()})

    with ThreadPoolExecutor(CROWD) as pool:
        list(pool.map(publish, range(CROWD)))

    store = open_store(s3_url)
    blobs = [info.key for info in store.scan(f"models/{MODEL}/blobs/")]
    assert blobs == [f"models/{MODEL}/blobs/{hashlib.sha256(source.read_bytes()).hexdigest()}"]
    assert len(Registry(store).versions(MODEL)) == CROWD
