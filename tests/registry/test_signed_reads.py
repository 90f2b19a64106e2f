"""`stores.signed`: the fast way to a blob, which gives way to the library whenever in doubt."""

import errno
import hashlib
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from pointsman import arrival, transfer
from pointsman.errors import ContentMismatch
from pointsman.manifest import File
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from tests.fakes.interleaved_store import InterleavedStore
from tests.servers import one_blob
from tests.servers.one_blob import Manner, OneBlob
from tests.servers.seaweedfs import SeaweedFS

OTHERS = [each for each in Manner if each not in {Manner.HONEST, Manner.EXPIRES}]
SIZE = (20 << 20) + 7  # three ranges, the last of them odd
KEY = "blobs/x"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hidden"}


@pytest.fixture(scope="module")
def data() -> bytes:
    return os.urandom(SIZE)


def file_of(data: bytes) -> File:
    return File(path="x", size=len(data), sha256=hashlib.sha256(data).hexdigest())


def store_at(url: str, **variables: str) -> ObjectStore:
    return open_store(f"s3://bucket?endpoint={url}", KEYS | variables)


def brought(store: ObjectStore, data: bytes, to: Path) -> bytes:
    """What `download` makes of the blob, which must have reported every byte exactly once."""
    reported: list[int] = []
    transfer.download(store, KEY, file_of(data), to, reported.append)
    assert sum(reported) == len(data)
    return to.read_bytes()


def descriptors() -> set[str]:
    """All that this process has open."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that listed them
            found.add(str(each.readlink()))
    return found


def test_a_blob_comes_by_signed_urls_over_a_few_connections_that_do_not_outlive_it(
    data: bytes, tmp_path: Path
) -> None:
    with one_blob.holding(OneBlob(data)) as blob:
        store = store_at(blob.url)
        store.head(KEY)
        before = descriptors()

        assert brought(store, data, tmp_path / "x") == data

        assert (blob.signed, blob.unsigned) == (3, 0)
        assert len(blob.connections) <= 3
        assert [each for each in descriptors() - before if each.startswith("pipe:")] == []
        assert store._signed._idle == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("manner", OTHERS)
def test_whatever_else_is_answered_the_blob_arrives_by_the_other_way(
    data: bytes, tmp_path: Path, manner: Manner
) -> None:
    with one_blob.holding(OneBlob(data, manner)) as blob:
        assert brought(store_at(blob.url), data, tmp_path / "x") == data

        assert blob.signed == 3
        assert blob.unsigned == (0 if manner is Manner.CLOSES else 3)


def test_it_is_the_same_over_tls_with_an_authority_of_ones_own(data: bytes, tmp_path: Path) -> None:
    authority = trustme.CA()
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))

    with one_blob.holding(OneBlob(data), authority) as blob:
        store = store_at(blob.url, AWS_CA_BUNDLE=str(bundle))
        assert brought(store, data, tmp_path / "x") == data
        assert (blob.signed, blob.unsigned) == (3, 0)


def refusing(what: int) -> Callable[..., int]:
    def splice(source: int, to: int, count: int, **offsets: int) -> int:
        if ("offset_dst" in offsets) == (what == 1):
            raise OSError(errno.EINVAL, "Invalid argument")
        return int(REAL_SPLICE(source, to, count, **offsets))

    return splice


REAL_SPLICE = os.splice


@pytest.mark.parametrize("what", [0, 1], ids=["from sockets", "into files"])
def test_a_system_that_cannot_splice_reads_through_memory(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: int
) -> None:
    monkeypatch.setattr(os, "splice", refusing(what))

    with one_blob.holding(OneBlob(data)) as blob:
        assert brought(store_at(blob.url), data, tmp_path / "x") == data
        assert (blob.signed, blob.unsigned) == (3, 0)


def test_where_a_proxy_is_configured_the_library_finds_the_way(data: bytes, tmp_path: Path) -> None:
    with one_blob.holding(OneBlob(data)) as blob:
        store = store_at(blob.url, HTTPS_PROXY="http://127.0.0.1:1")
        assert brought(store, data, tmp_path / "x") == data
        assert (blob.signed, blob.unsigned) == (0, 3)


@pytest.mark.parametrize("same", [True, False], ids=["the same", "other"])
def test_a_blob_replaced_while_it_is_read_counts_by_its_bytes(
    s3_server: SeaweedFS, s3_url: str, tmp_path: Path, data: bytes, *, same: bool
) -> None:
    store = open_store(s3_url)
    source = tmp_path / "source"
    source.write_bytes(data)
    file = file_of(data)
    store.upload(KEY, source, file.sha256, lambda _: None)
    prefix = s3_url.partition("/models")[2].strip("/")
    instead = data if same else os.urandom(SIZE)

    def replace() -> None:
        s3_server.put(f"{prefix}/{KEY}" if prefix else KEY, instead)

    changing = InterleavedStore(store, 3, replace)
    if same:
        assert brought(changing, data, tmp_path / "x") == data
        return
    with pytest.raises(ContentMismatch):
        brought(changing, data, tmp_path / "x")


def test_nothing_more_is_written_once_somebody_wants_to_stop(data: bytes, tmp_path: Path) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with one_blob.holding(OneBlob(data)) as blob:
        store = store_at(blob.url)
        with pytest.raises(KeyboardInterrupt):
            transfer.download(store, KEY, file_of(data), tmp_path / "x", interrupt)
        assert store._signed._idle == []  # type: ignore[attr-defined]


def test_a_file_system_that_cannot_be_mapped_is_read_back(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(transfer, "mmap", refuse)
    with one_blob.holding(OneBlob(data)) as blob:
        assert brought(store_at(blob.url), data, tmp_path / "x") == data


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities on Linux only")
def test_those_who_read_ranges_give_way_to_whoever_hashes_and_serves(data: bytes) -> None:
    priorities: set[int] = set()

    def note(_: int) -> None:
        priorities.add(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    with one_blob.holding(OneBlob(data)) as blob:
        transfer.is_intact(store_at(blob.url), KEY, file_of(data), note)

    assert priorities == {max(own, 5)}
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own


def test_verifying_reads_a_blob_larger_than_what_is_kept_of_it(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival, "RANGE_BYTES", 1 << 20)
    monkeypatch.setattr(arrival, "ROOM_BYTES", 3 << 20)

    with one_blob.holding(OneBlob(data)) as blob:
        store = store_at(blob.url)
        assert transfer.is_intact(store, KEY, file_of(data), lambda _: None)
        assert blob.signed >= 20
