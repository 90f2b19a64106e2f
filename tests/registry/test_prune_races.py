"""A prune beside publishers and activations, at every possible moment; and one that fails or dies.

The moments are enumerated: whatever the other one does happens before the first call of the
store, before the second, and so on, until there are no more calls.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from pointsman import keys, manifest, pruning, publishing
from pointsman.errors import NotFound, PointsmanError, PruneRunning
from pointsman.hashing import hashed
from pointsman.manifest import File
from pointsman.registry import Registry
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from pointsman.version_files import gather
from tests.fakes.interleaved_store import FailingStore, InterleavedStore
from tests.versions import age, broken, described, names, put

DAY = timedelta(days=1)
MOMENTS = range(1, 200)
_WAITING_SECONDS = 0.2

_DYING = """
import sys
from pointsman import pruning
from pointsman.stores import open_store
from tests.fakes.unreliable_store import LethalStore
pruning.prune(LethalStore(open_store(sys.argv[1]), int(sys.argv[2])), "m", 1, "somebody")
"""


def _old(url: str) -> ObjectStore:
    """A store with v1, which may go, and v2; all of it days old."""
    store = open_store(url)
    put(store, "v1", {"a.onnx": b"one"}, created=datetime(2026, 1, 1, tzinfo=UTC))
    put(store, "v2", {"a.onnx": b"two"}, created=datetime(2026, 1, 2, tzinfo=UTC))
    age(url, 3 * DAY)
    return store


def _urls(tmp_path: Path) -> Iterator[tuple[int, str]]:
    for moment in MOMENTS:
        yield moment, (tmp_path / f"store-{moment}").as_uri()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The file that several versions share."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"shared")
    return path


def _publish(store: ObjectStore, source: Path) -> None:
    """Publish `source` as v3, from where validation has ended."""
    known = hashed(source)
    file = File(path=source.name, size=known.size, sha256=known.sha256)
    sealed = manifest.seal(described("v3", (file,), "m", datetime.now(UTC)))
    digests = {source.name: known}
    publishing.commit(store, publishing.Prepared(gather(source, None), digests, sealed))


def _with_the_same_file(url: str, source: Path) -> ObjectStore:
    """A store where v1, which may go, is the only one to use the file that is published next."""
    store = open_store(url)
    created = datetime(2026, 1, 1, tzinfo=UTC)
    put(store, "v1", {"model.onnx": source.read_bytes()}, created=created)
    put(store, "v2", {"model.onnx": b"two"}, created=datetime(2026, 1, 2, tzinfo=UTC))
    age(url, 3 * DAY)
    return store


def test_a_prune_at_any_moment_of_publishing_leaves_every_version_whole(
    tmp_path: Path, source: Path
) -> None:
    for moment, url in _urls(tmp_path):
        store = _with_the_same_file(url, source)
        around = InterleavedStore(
            store, moment, partial(pruning.prune, open_store(url), "m", 1, "somebody")
        )
        _publish(around, source)
        assert "v3" in names(store)
        assert broken(store) == []
        if around.calls < moment:
            return
    pytest.fail("publishing never ended")


def test_publishing_at_any_moment_of_a_prune_leaves_every_version_whole(
    tmp_path: Path, source: Path
) -> None:
    for moment, url in _urls(tmp_path):
        store = _with_the_same_file(url, source)
        publisher = Thread(target=_publish, args=(open_store(url), source))

        def meanwhile(publisher: Thread = publisher) -> None:
            publisher.start()
            publisher.join(_WAITING_SECONDS)  # it may have to wait for the prune, and then goes on

        around = InterleavedStore(store, moment, meanwhile)
        pruning.prune(around, "m", 1, "somebody")
        if around.calls < moment:
            return
        publisher.join()
        assert "v3" in names(store)
        assert broken(store) == []
    pytest.fail("the prune never ended")


def test_an_activation_at_any_moment_of_a_prune_never_names_what_is_gone(tmp_path: Path) -> None:
    for moment, url in _urls(tmp_path):
        store = _old(url)
        registry = Registry(open_store(url))
        registry.activate("m", "v2")
        refused: list[bool] = []

        def meanwhile(registry: Registry = registry, refused: list[bool] = refused) -> None:
            try:
                registry.activate("m", "v1")
            except NotFound:
                refused.append(True)

        around = InterleavedStore(store, moment, meanwhile)
        pruning.prune(around, "m", 1, "somebody")
        if around.calls < moment:
            return
        stable = registry.channel("m", "production").stable.version
        assert stable == ("v2" if refused else "v1")
        assert stable in names(store)
        assert broken(store) == []
    pytest.fail("the prune never ended")


def test_a_prune_at_any_moment_of_an_activation_never_leaves_a_channel_without_its_version(
    tmp_path: Path,
) -> None:
    for moment, url in _urls(tmp_path):
        store = _old(url)
        Registry(store).activate("m", "v2")
        around = InterleavedStore(
            store, moment, partial(pruning.prune, open_store(url), "m", 1, "somebody")
        )
        try:
            Registry(around).activate("m", "v1")
        except NotFound:
            assert "v1" not in names(store)
        stable = Registry(store).channel("m", "production").stable.version
        assert stable in names(store)
        assert broken(store) == []
        if around.calls < moment:
            return
    pytest.fail("the activation never ended")


@pytest.mark.parametrize("lost", [False, True])
def test_a_prune_that_fails_anywhere_leaves_whole_versions_and_can_be_repeated(
    tmp_path: Path, *, lost: bool
) -> None:
    for moment, url in _urls(tmp_path):
        store = _old(url)
        around = FailingStore(store, moment, lost=lost)
        try:
            pruning.prune(around, "m", 1, "somebody")
        except PointsmanError:
            assert around.failed
        assert broken(store) == []
        if not around.failed:
            return
        _again(store, url)
    pytest.fail("the prune never ended")


def test_a_prune_that_dies_anywhere_leaves_whole_versions_and_can_be_repeated(
    tmp_path: Path,
) -> None:
    for moment, url in _urls(tmp_path):
        store = _old(url)
        ended = subprocess.run(
            [sys.executable, "-c", _DYING, url, str(moment)], check=False, cwd=_root()
        ).returncode
        assert ended in {0, -signal.SIGKILL}
        assert broken(store) == []
        if ended == 0:
            return
        _again(store, url)
    pytest.fail("the prune never ended")


def _again(store: ObjectStore, url: str) -> None:
    """Prune once the lease that may have been left has run out."""
    age(url, timedelta(minutes=5), but=("versions", "blobs"))
    try:
        pruning.prune(store, "m", 1, "somebody")
    except PruneRunning:
        pytest.fail("a lease of the dead kept the living out")
    assert names(store) == {"v2"}
    assert [info.key for info in store.scan(keys.blobs("m"))] == [
        keys.blob("m", Registry(store).version("m", "v2").manifest.files[0].sha256)
    ]


def _root() -> Path:
    return Path(os.fspath(__file__)).parents[2]
