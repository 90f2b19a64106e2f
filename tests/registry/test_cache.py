"""The cache: whole and verified files, whoever else is at work and whatever rots."""

import os
import resource
import threading
from collections.abc import Callable
from multiprocessing.queues import Queue
from pathlib import Path
from typing import TypeVar

import pytest

from pointsman import keys
from pointsman import manifest as manifests
from pointsman.cache import Cache
from pointsman.errors import CacheUnusable, ContentMismatch, NotFound, PointsmanError, StoreError
from pointsman.manifest import File, Version
from pointsman.registry import Registry
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from tests.fakes.memory_store import MemoryStore
from tests.fakes.unreliable_store import FlakyStore, OfflineStore, WrappedStore
from tests.registry.processes import CONTEXT, finish, start
from tests.registry.versions import MODEL, manifest, store_version

Result = TypeVar("Result")

SMALL = {"onnx/model.onnx": b"weights", "labels/a.txt": b"same", "labels/b.txt": b"same"}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def contents(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def blob(tmp_path: Path, version: Version, number: int = 0) -> Path:
    return tmp_path / "cache" / "blobs" / version.manifest.files[number].sha256


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_version_is_laid_out_as_it_was_published(
    cache: Cache, store_url: str, tmp_path: Path
) -> None:
    store = open_store(store_url)
    version = store_version(store, files=SMALL)
    reported: list[int] = []

    directory = cache.fetch(store, version, reported.append)

    assert contents(directory) == SMALL
    assert sum(reported) == version.manifest.size
    assert cache.has(version)
    assert cache.manifest(version.digest) == version.document


def test_files_of_several_versions_are_stored_once(cache: Cache, tmp_path: Path) -> None:
    store = MemoryStore()
    one = store_version(store, "v1", {"model.onnx": b"one", "words.txt": b"shared"})
    two = store_version(store, "v2", {"model.onnx": b"two", "vocabulary.txt": b"shared"})

    first, second = cache.fetch(store, one), cache.fetch(store, two)

    assert (first / "words.txt").samefile(second / "vocabulary.txt")
    assert (first / "words.txt").samefile(blob(tmp_path, one, 1))


def test_what_is_cached_needs_no_store(cache: Cache) -> None:
    store = MemoryStore()
    version = store_version(store, files=SMALL)
    cache.fetch(store, version)

    assert contents(cache.fetch(OfflineStore(store), version)) == SMALL


def test_what_is_not_cached_needs_the_store(cache: Cache) -> None:
    store = MemoryStore()
    version = store_version(store)

    with pytest.raises(StoreError):
        cache.fetch(OfflineStore(store), version)
    assert not cache.has(version)


def test_a_bit_that_rotted_in_the_cache_is_found_and_repaired(cache: Cache, tmp_path: Path) -> None:
    store = MemoryStore()
    version = store_version(store, files=SMALL)
    cache.fetch(store, version)
    flip_a_bit(blob(tmp_path, version))

    assert contents(cache.fetch(store, version)) == SMALL


def test_a_file_that_was_replaced_in_a_versions_directory_is_put_back(cache: Cache) -> None:
    store = MemoryStore()
    version = store_version(store, files=SMALL)
    directory = cache.fetch(store, version)
    (directory / "labels/a.txt").unlink()
    (directory / "labels/a.txt").write_bytes(b"evil")

    assert contents(cache.fetch(store, version)) == SMALL


@pytest.mark.parametrize("size", [1000, 20 << 20], ids=["small", "several ranges"])
@pytest.mark.parametrize("damage", ["flipped", "shorter", "empty"])
def test_damaged_bytes_of_the_store_are_refused_and_never_get_their_name(
    cache: Cache, store_url: str, tmp_path: Path, size: int, damage: str
) -> None:
    store = open_store(store_url)
    data = os.urandom(size)
    version = store_version(store, files={"model.onnx": data})
    damaged = {
        "flipped": data[:-1] + bytes([data[-1] ^ 1]),
        "shorter": data[: size // 2],
        "empty": b"",
    }
    store.overwrite(keys.blob(MODEL, version.manifest.files[0].sha256), damaged[damage])

    with pytest.raises(ContentMismatch, match="is damaged") as caught:
        cache.fetch(store, version)

    assert "publish" in caught.value.hint
    assert not blob(tmp_path, version).exists()
    assert list((tmp_path / "cache").rglob("*.part")) == []
    assert cache.manifest(version.digest) is None


def test_a_missing_blob_is_named_by_the_file_it_was(cache: Cache, store_url: str) -> None:
    store = open_store(store_url)
    version = store_version(store, files=SMALL)
    store.delete(keys.blob(MODEL, version.manifest.files[1].sha256))

    with pytest.raises(NotFound, match=r"has lost labels/[ab]\.txt"):
        cache.fetch(store, version)


def test_a_manifest_that_claims_an_absurd_size_costs_neither_memory_nor_disk(
    cache: Cache,
) -> None:
    store = MemoryStore()
    honest = store_version(store)
    file = honest.manifest.files[0]
    claims = (File(path=file.path, size=1 << 60, sha256=file.sha256),)
    liar = manifests.seal(manifest(version="v2", files=claims))

    with pytest.raises(ContentMismatch):
        cache.fetch(store, liar)


class RendezvousStore(WrappedStore):
    """Answers reads of ranges only once so many of them are waiting."""

    def __init__(self, inner: ObjectStore, parties: int) -> None:
        super().__init__(inner)
        self._barrier = threading.Barrier(parties, timeout=150)

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        if name == "get_range":
            self._barrier.wait()
        return work()


def test_a_large_file_arrives_by_parallel_ranges(cache: Cache, store_url: str) -> None:
    store = open_store(store_url)
    data = os.urandom((20 << 20) + 7)
    version = store_version(store, files={"model.onnx": data})
    reported: list[int] = []

    directory = cache.fetch(RendezvousStore(store, 3), version, reported.append)

    assert (directory / "model.onnx").read_bytes() == data
    assert sum(reported) == len(data)


def test_small_files_arrive_side_by_side(cache: Cache) -> None:
    store = MemoryStore()
    files = {f"file{number}": bytes([number]) for number in range(4)}
    version = store_version(store, files=files)

    assert contents(cache.fetch(RendezvousStore(store, 4), version)) == files


def test_a_break_in_the_middle_leaves_nothing_behind_and_the_next_try_succeeds(
    cache: Cache, tmp_path: Path
) -> None:
    store = MemoryStore()
    data = os.urandom(30 << 20)
    version = store_version(store, files={"model.onnx": data})

    with pytest.raises(StoreError):
        cache.fetch(FlakyStore(store, "get_range"), version)

    assert list((tmp_path / "cache" / "blobs").glob("*.part")) == []
    assert (cache.fetch(store, version) / "model.onnx").read_bytes() == data


def test_an_interruption_by_whoever_listens_to_the_progress_is_passed_on(
    cache: Cache, tmp_path: Path
) -> None:
    store = MemoryStore()
    version = store_version(store, files={"model.onnx": os.urandom(30 << 20)})

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.fetch(store, version, interrupt)
    assert not blob(tmp_path, version).exists()


def fetch_from(url: str, root: Path, gate: threading.Barrier) -> None:
    """Fetch v1 once everybody is ready, and check what came."""
    store = open_store(url)
    version = Registry(store).version(MODEL, "v1")
    gate.wait(240)
    directory = Cache(root).fetch(store, version)
    assert len((directory / "model.onnx").read_bytes()) == version.manifest.files[0].size


def test_processes_that_fetch_the_same_version_at_once_all_get_it_whole(
    store_url: str, tmp_path: Path
) -> None:
    store = open_store(store_url)
    version = store_version(store, files={"model.onnx": os.urandom(20 << 20), "words.txt": b"a"})
    gate = CONTEXT.Barrier(4)

    fetching = [start(fetch_from, store_url, tmp_path / "cache", gate) for _ in range(4)]

    assert finish(fetching) == [0] * 4
    assert Cache(tmp_path / "cache").has(version)
    assert contents(tmp_path / "cache" / "versions").keys() == {
        f"{version.digest.removeprefix('sha256:')}/{path}" for path in ("model.onnx", "words.txt")
    }


def fetch_on_a_full_disk(url: str, root: Path, said: "Queue[str]") -> None:
    """Fetch where no file can grow beyond a megabyte."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    store = open_store(url)
    try:
        Cache(root).fetch(store, Registry(store).version(MODEL, "v1"))
    except PointsmanError as error:
        said.put(f"{type(error).__name__}: {error.message}")


def test_a_full_disk_is_not_blamed_on_the_store(file_url: str, tmp_path: Path) -> None:
    store_version(open_store(file_url), files={"model.onnx": os.urandom(3 << 20)})
    said: Queue[str] = CONTEXT.Queue()

    finish([start(fetch_on_a_full_disk, file_url, tmp_path / "cache", said)])

    assert said.get(timeout=60).startswith("CacheUnusable: the cache in ")


def test_a_cache_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    store = MemoryStore()

    with pytest.raises(CacheUnusable, match="Not a directory"):
        Cache(tmp_path / "file" / "cache").fetch(store, store_version(store))


def test_a_damaged_manifest_in_the_cache_counts_as_none(cache: Cache, tmp_path: Path) -> None:
    store = MemoryStore()
    version = store_version(store)
    cache.fetch(store, version)
    flip_a_bit(next((tmp_path / "cache" / "manifests").glob("*.json")))

    assert cache.manifest(version.digest) is None


def test_the_channel_served_last_is_remembered(cache: Cache) -> None:
    assert cache.remembered(MODEL, "production") is None
    cache.remember(MODEL, "production", b"first", "sha256:" + "1" * 64)
    cache.remember(MODEL, "production", b"second", "sha256:" + "2" * 64)
    assert cache.remembered(MODEL, "production") == b"second"
