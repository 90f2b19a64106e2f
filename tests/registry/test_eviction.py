"""`eviction`: old versions make room for new ones, and what anybody uses stays."""

import os
import random
import shutil
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple

import pytest

from pointsman import eviction
from pointsman.cache import Cache
from pointsman.manifest import Version
from pointsman.registry import Registry
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from tests.fakes.memory_store import MemoryStore
from tests.fakes.unreliable_store import FlakyStore
from tests.registry.processes import CONTEXT, finish, start
from tests.registry.versions import MODEL, store_version

KILOBYTE = 1 << 10


class Disk(NamedTuple):
    """What `shutil.disk_usage` tells."""

    total: int
    used: int
    free: int


def sized(store: ObjectStore, name: str, size: int = 100 * KILOBYTE) -> Version:
    return store_version(store, name, {"model.onnx": os.urandom(size)})


def fetched(cache: Cache, store: ObjectStore, *versions: Version) -> None:
    """Fetch them one after the other, and use only the last."""
    for version in versions:
        cache.fetch(store, version)
        cache.keep({version.digest})


def size_of(root: Path) -> int:
    return sum(path.stat().st_size for path in (root / "blobs").iterdir())


def test_the_versions_asked_for_longest_ago_make_room_for_a_new_one(tmp_path: Path) -> None:
    store, cache = MemoryStore(), Cache(tmp_path, 250 * KILOBYTE)
    one, two, three = (sized(store, name) for name in ("v1", "v2", "v3"))
    fetched(cache, store, one, two, one)  # asked for again: now the younger of the two

    fetched(cache, store, three)

    assert [cache.has(version) for version in (one, two, three)] == [True, False, True]
    assert cache.manifest(two.digest) is None
    assert size_of(tmp_path) == 200 * KILOBYTE


def test_what_a_killed_fetch_left_goes_first_and_what_is_being_fetched_stays(
    tmp_path: Path,
) -> None:
    store, cache = MemoryStore(), Cache(tmp_path, 250 * KILOBYTE)
    one, two = sized(store, "v1"), sized(store, "v2")
    fetched(cache, store, one)
    left, arriving = (tmp_path / "blobs" / f".{digit * 64}.part" for digit in "ab")
    for path in (left, arriving):
        path.write_bytes(bytes(50 * KILOBYTE))

    with eviction.blob_lock(tmp_path / "blobs" / ("b" * 64)):
        fetched(cache, store, two)

    assert (left.exists(), arriving.exists()) == (False, True)
    assert cache.has(one)
    assert cache.has(two)


def test_without_a_limit_everything_stays_while_the_disk_has_room(tmp_path: Path) -> None:
    store, cache = MemoryStore(), Cache(tmp_path)
    versions = [sized(store, f"v{number}") for number in range(5)]

    fetched(cache, store, *versions)

    assert all(cache.has(version) for version in versions)


def test_a_disk_that_fills_up_is_a_limit_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, cache = MemoryStore(), Cache(tmp_path)
    versions = [sized(store, f"v{number}") for number in range(4)]
    total = 2000 * KILOBYTE  # of which a twentieth has to stay free

    def usage(_: Path) -> Disk:
        used = 1650 * KILOBYTE + size_of(tmp_path) if (tmp_path / "blobs").exists() else 0
        return Disk(total, used, total - used)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    fetched(cache, store, *versions)

    assert [cache.has(version) for version in versions] == [False, False, True, True]


def test_what_is_kept_stays_even_beyond_the_limit(tmp_path: Path) -> None:
    store, cache = MemoryStore(), Cache(tmp_path, 150 * KILOBYTE)
    one, two, three = (sized(store, name) for name in ("v1", "v2", "v3"))
    cache.fetch(store, one)
    cache.fetch(store, two)
    cache.fetch(store, three)
    assert all(cache.has(version) for version in (one, two, three))

    cache.keep({one.digest, three.digest})
    fetched(cache, store, sized(store, "v4"))

    assert [cache.has(version) for version in (one, two, three)] == [True, False, True]


def test_what_served_last_stays_for_a_start_without_the_store(tmp_path: Path) -> None:
    store, cache = MemoryStore(), Cache(tmp_path, 150 * KILOBYTE)
    one, two, three = (sized(store, name) for name in ("v1", "v2", "v3"))
    fetched(cache, store, one)
    cache.remember(MODEL, "production", b"the channel", one.digest)
    fetched(cache, store, two)
    cache.keep(())
    fetched(cache, store, three)

    assert [cache.has(version) for version in (one, two, three)] == [True, False, True]


def test_blobs_that_other_versions_share_stay(tmp_path: Path) -> None:
    store, cache = MemoryStore(), Cache(tmp_path, 250 * KILOBYTE)
    shared = os.urandom(90 * KILOBYTE)
    one = store_version(store, "v1", {"model.onnx": os.urandom(50 * KILOBYTE), "words": shared})
    two = store_version(store, "v2", {"model.onnx": os.urandom(60 * KILOBYTE), "words": shared})
    fetched(cache, store, one, two)

    fetched(cache, store, sized(store, "v3"))

    assert not cache.has(one)
    assert cache.has(two)


def test_what_a_break_left_behind_is_the_first_to_go(tmp_path: Path) -> None:
    store, cache = MemoryStore(), Cache(tmp_path, 250 * KILOBYTE)
    files = {"a": os.urandom(90 * KILOBYTE), "b": os.urandom(90 * KILOBYTE)}
    broken = store_version(store, "v1", files)
    with pytest.raises(Exception, match="broke"):
        cache.fetch(FlakyStore(store, "get_range"), broken)
    cache.keep(())
    good = sized(store, "v2")
    fetched(cache, store, good, sized(store, "v3"))

    assert cache.has(good)
    assert not cache.has(broken)


def hold(url: str, root: Path, holding: Event, enough: Event) -> None:
    store = open_store(url)
    cache = Cache(root)
    cache.fetch(store, Registry(store).version(MODEL, "v1"))
    holding.set()
    enough.wait(240)


def test_what_another_process_uses_stays_until_that_ends(file_url: str, tmp_path: Path) -> None:
    store, cache = open_store(file_url), Cache(tmp_path / "cache", 150 * KILOBYTE)
    one, two, three = (sized(store, name) for name in ("v1", "v2", "v3"))
    holding, enough = CONTEXT.Event(), CONTEXT.Event()
    other = start(hold, file_url, tmp_path / "cache", holding, enough)
    assert holding.wait(240)

    fetched(cache, store, two)
    assert cache.has(one)

    enough.set()
    assert finish([other]) == [0]
    fetched(cache, store, three)
    assert not cache.has(one)


def fetch_at_random(url: str, root: Path, seed: int) -> None:
    """Fetch, and use what was fetched, beside others who do the same and need the room."""
    choose, store = random.Random(seed), open_store(url)
    cache, registry = Cache(root, 250 * KILOBYTE), Registry(store)
    for _ in range(30):
        version = registry.version(MODEL, f"v{choose.randrange(6)}")
        directory = cache.fetch(store, version)
        assert (directory / "model.onnx").stat().st_size == 100 * KILOBYTE
        assert (directory / "words").read_bytes() == b"shared"
        cache.keep({version.digest} if choose.random() < 0.5 else ())


def test_several_processes_may_fetch_and_evict_at_once(file_url: str, tmp_path: Path) -> None:
    store, root = open_store(file_url), tmp_path / "cache"
    for number in range(6):
        files = {"model.onnx": os.urandom(100 * KILOBYTE), "words": b"shared"}
        store_version(store, f"v{number}", files)

    assert finish([start(fetch_at_random, file_url, root, seed) for seed in range(4)]) == [0] * 4

    # Nobody uses anything any more: a version that is new here makes room for itself.
    Cache(root, 250 * KILOBYTE).fetch(store, sized(store, "v6"))
    assert size_of(root) <= 250 * KILOBYTE
