"""One misfortune at any request of an operation: it succeeds, or says so and has changed nothing.

The server is real, the proxy before it spoils one request after the other, and every fault is
tried at every step there is.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from pointsman import pruning, publishing, transfer
from pointsman.cache import Cache
from pointsman.errors import NotFound, StoreError, StoreMisconfigured, StoreUnreachable
from pointsman.integrity import verify
from pointsman.manifest import File
from pointsman.publishing import Prepared
from pointsman.registry import Registry
from pointsman.signing.notary import Notary
from pointsman.stores import open_store
from tests import models
from tests.fakes.interleaved_store import LaterStore
from tests.registry.versions import MODEL, store_version
from tests.servers import faulty, one_blob, seaweedfs
from tests.servers.faulty import Fault, Proxy
from tests.servers.one_blob import Manner, OneBlob

FAULTS = [fault for fault in Fault if fault is not Fault.HELD]
LARGE = 9 << 20  # several parts up, several ranges down


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    source = tmp_path_factory.mktemp("export")
    models.heavy(source / "model.onnx", size=LARGE)
    models.affine_golden(source / "golden.npz")
    return publishing.prepare(MODEL, "v1", source)


@pytest.fixture
def proxy(s3_server: seaweedfs.SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    with faulty.in_front_of(s3_server.endpoint) as proxy:
        yield proxy


def registry_by(endpoint: str, prefix: str) -> Registry:
    return Registry(open_store(f"s3://models/{prefix}?endpoint={endpoint}"))


def is_published(registry: Registry) -> bool:
    try:
        registry.version(MODEL, "v1")
    except NotFound:
        return False
    return True


def at_every_request(proxy: Proxy, fault: Fault, operation: Callable[[], None]) -> int:
    """Run `operation` with the fault at its first request, then its second, until none is left."""
    for number in count(1):
        proxy.plan(fault, number)
        operation()
        if not proxy.spoilt:
            return number - 1
    raise AssertionError


@pytest.mark.parametrize("fault", FAULTS)
def test_publishing_lives_through_a_fault_at_any_request(
    proxy: Proxy, prepared: Prepared, tmp_path: Path, fault: Fault
) -> None:
    caches = count()

    def publish() -> None:
        prefix = uuid4().hex
        through, direct = registry_by(proxy.url, prefix), registry_by(proxy.upstream, prefix)
        try:
            published = publishing.commit(through.store, prepared)
        except StoreError:
            assert not is_published(direct)
            published = publishing.commit(direct.store, prepared)
        assert published.created
        cache = Cache(tmp_path / f"cache-{next(caches)}")
        directory = cache.fetch(direct.store, direct.version(MODEL, "v1"))
        source = prepared.files.paths["model.onnx"]
        assert (directory / "model.onnx").read_bytes() == source.read_bytes()

    requests = at_every_request(proxy, fault, publish)

    assert requests >= 7  # a manifest looked for, two files looked for, parts, the manifest


@pytest.mark.parametrize("fault", FAULTS)
def test_activating_moves_a_channel_once_whatever_happens_to_a_request(
    proxy: Proxy, fault: Fault
) -> None:
    prefix = uuid4().hex
    through, direct = registry_by(proxy.url, prefix), registry_by(proxy.upstream, prefix)
    for version in ("v1", "v2"):
        store_version(direct.store, version)
    direct.activate(MODEL, "v1")
    turns = count()

    def activate() -> None:
        before = direct.channel(MODEL, "production").generation
        target = ("v2", "v1")[next(turns) % 2]
        try:
            through.activate(MODEL, target)
        except StoreError:
            assert direct.channel(MODEL, "production").generation == before
            direct.activate(MODEL, target)
        after = direct.channel(MODEL, "production")
        assert (after.generation, after.stable.version) == (before + 1, target)

    assert at_every_request(proxy, fault, activate) >= 3


@pytest.mark.parametrize("fault", FAULTS)
def test_pulling_yields_the_very_bytes_or_an_error_and_never_a_part(
    proxy: Proxy, tmp_path: Path, fault: Fault
) -> None:
    prefix = uuid4().hex
    through, direct = registry_by(proxy.url, prefix), registry_by(proxy.upstream, prefix)
    data = os.urandom(LARGE)
    version = store_version(direct.store, "v1", {"model.onnx": data, "labels.txt": b"a b c"})
    caches = count()

    def pull() -> None:
        root = tmp_path / f"cache-{next(caches)}"
        try:
            directory = Cache(root).fetch(through.store, version)
        except StoreError:
            assert not list(root.rglob("*.part"))
            directory = Cache(root).fetch(direct.store, version)
        assert (directory / "model.onnx").read_bytes() == data

    assert at_every_request(proxy, fault, pull) >= 4


def test_a_store_that_only_ever_resets_is_called_unreachable(proxy: Proxy) -> None:
    registry = registry_by(proxy.url, uuid4().hex)
    proxy.plan(Fault.RESET, at=1, always=True)

    with pytest.raises(StoreUnreachable) as caught:
        registry.version(MODEL, "v1")

    assert proxy.spoilt > 1
    assert proxy.url in caught.value.hint


def test_expired_credentials_in_the_middle_of_a_pull_are_told_as_such() -> None:
    with one_blob.holding(OneBlob(os.urandom(LARGE), Manner.EXPIRES)) as blob:
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hidden"}
        store = open_store(f"s3://bucket?endpoint={blob.url}", keys)
        file = File(path="x", size=LARGE, sha256=hashlib.sha256(blob.data).hexdigest())

        with pytest.raises(StoreMisconfigured, match="the credentials have expired"):
            transfer.is_intact(store, "blobs/x", file, lambda _: None)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_pruning_takes_nothing_that_is_needed_whatever_happens_to_a_request(
    proxy: Proxy, fault: Fault
) -> None:
    def prune() -> None:
        prefix = uuid4().hex
        through, direct = registry_by(proxy.url, prefix), registry_by(proxy.upstream, prefix)
        for version in ("v1", "v2"):
            store_version(direct.store, version)
        days = timedelta(days=2)  # by which time everything is old enough, and any lease over
        try:
            pruning.prune(LaterStore(through.store, days), MODEL, 1, "tests")
        except StoreError:
            # A version is whole, or not there.
            assert not verify(direct.store, MODEL, Notary()).damage
            pruning.prune(LaterStore(direct.store, 2 * days), MODEL, 1, "tests")
        assert [version.manifest.version for version in direct.versions(MODEL)] == ["v2"]
        assert not verify(direct.store, MODEL, Notary()).damage
        assert len(list(direct.store.scan(f"models/{MODEL}/blobs/"))) == 1

    assert at_every_request(proxy, fault, prune) >= 10
