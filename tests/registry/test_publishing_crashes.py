"""A publisher that dies at any moment leaves the whole version or none, and can begin again."""

import os
import signal
from itertools import count
from pathlib import Path

import pytest

from pointsman import keys, publishing
from pointsman.cache import Cache
from pointsman.errors import NotFound
from pointsman.publishing import Progress
from pointsman.registry import Registry
from pointsman.stores import open_store
from tests import models
from tests.fakes.unreliable_store import LethalStore
from tests.registry.processes import finish, start

MODEL = "digits"
CALLS = 6  # is it there?, two files looked for and sent, the manifest


def publish_and_die(url: str, source: Path, calls: int) -> None:
    """Publish v1, unless SIGKILL comes right after the n-th call of the store."""
    publishing.publish(LethalStore(open_store(url), calls), MODEL, "v1", source)


def publish_and_die_sending(url: str, source: Path) -> None:
    """Publish v1 until the first part of a file is on its way."""

    def die(_path: str, _count: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    publishing.publish(open_store(url), MODEL, "v1", source, progress=Progress(sent=die))


def is_there(registry: Registry) -> bool:
    try:
        registry.version(MODEL, "v1")
    except NotFound:
        return False
    return True


def fetch(registry: Registry, cache: Path) -> None:
    """Prove that v1 is whole."""
    Cache(cache).fetch(registry.store, registry.version(MODEL, "v1"))


def test_after_a_crash_at_any_call_of_the_store_the_version_is_whole_or_not_there(
    tmp_path: Path,
) -> None:
    source = models.with_external_data(tmp_path / "model.onnx")

    for calls in count(1):
        url = (tmp_path / f"store-{calls}").as_uri()
        registry = Registry(open_store(url))
        (ended,) = finish([start(publish_and_die, url, source, calls)])
        if is_there(registry):
            fetch(registry, tmp_path / f"after-{calls}")
        else:
            assert registry.models() == []
        if ended == 0:
            break
        assert ended == -signal.SIGKILL

        registry.publish(MODEL, "v1", source)

        fetch(registry, tmp_path / f"again-{calls}")
    assert calls > CALLS


def test_a_crash_while_a_large_file_is_sent_shows_no_part_of_it(
    store_url: str, tmp_path: Path
) -> None:
    source = models.heavy(tmp_path / "model.onnx", size=20 << 20)
    registry = Registry(open_store(store_url))

    (ended,) = finish([start(publish_and_die_sending, store_url, source)])
    assert ended == -signal.SIGKILL

    assert list(registry.store.scan("models/")) == []
    assert registry.publish(MODEL, "v1", source).created
    fetch(registry, tmp_path / "cache")


@pytest.mark.parametrize("leftover", ["blob", "staged file"])
def test_what_a_crash_left_behind_is_in_nobodys_way(
    file_url: str, tmp_path: Path, leftover: str
) -> None:
    store = open_store(file_url)
    source = models.affine(tmp_path / "model.onnx")
    if leftover == "blob":
        store.create(keys.blob(MODEL, "a" * 64), b"half")
    else:
        store.create("anything", b"")
        abandoned = tmp_path / "store" / ".pointsman" / ".staged-0123"
        abandoned.write_bytes(b"half")
        os.utime(abandoned, (0, 0))

    registry = Registry(store)
    assert registry.models() == []
    registry.publish(MODEL, "v1", source)

    fetch(registry, tmp_path / "cache")
    assert not (tmp_path / "store" / ".pointsman" / ".staged-0123").exists()
