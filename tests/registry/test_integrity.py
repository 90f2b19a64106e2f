"""Verifying a store: whatever is wrong is reported, with everything else that is wrong."""

from collections.abc import Callable

import pytest

from pointsman import keys
from pointsman.errors import NotFound
from pointsman.integrity import Damage, Fault, verify
from pointsman.manifest import Version
from pointsman.publishing import Progress
from pointsman.registry import Registry
from pointsman.signing.keypair import SigningKey
from pointsman.signing.notary import Notary
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from tests.versions import put, read

LARGE = bytes(range(256)) * (70 << 10)  # more than two of the blocks that are read side by side
OPEN = Notary()


@pytest.fixture
def store(store_url: str) -> ObjectStore:
    """A store with v1, v2 and a channel that went from one to the other."""
    store = open_store(store_url)
    for name in ("v1", "v2"):
        put(store, name, {"model.onnx": name.encode(), "shared.bin": LARGE})
        Registry(store).activate("m", name)
    return store


def _blob(store: ObjectStore, version: str, path: str) -> str:
    files = Registry(store).version("m", version).manifest.files
    return keys.blob("m", next(file.sha256 for file in files if file.path == path))


def _faults(damage: tuple[Damage, ...]) -> list[tuple[str, Fault, tuple[str, ...]]]:
    return [(each.key, each.fault, each.versions) for each in damage]


def test_a_store_that_is_as_published_has_no_damage(store: ObjectStore) -> None:
    read_bytes = []
    progress = Progress(sent=lambda _name, count: read_bytes.append(count))
    found = verify(store, "m", OPEN, progress=progress)
    assert (found.versions, found.blobs, found.damage) == (("v1", "v2"), 3, ())
    assert sum(read_bytes) == found.size == len(LARGE) + 4


def test_one_flipped_bit_anywhere_in_a_blob_is_found(store: ObjectStore) -> None:
    key = _blob(store, "v1", "shared.bin")
    rotten = bytearray(LARGE)
    rotten[-5] ^= 1
    store.overwrite(key, bytes(rotten))
    found = verify(store, "m", OPEN)
    assert _faults(found.damage) == [(key, Fault.DAMAGED, ("v1", "v2"))]
    assert "other bytes" in found.damage[0].meaning


def test_blobs_that_are_gone_or_cut_short_are_told_apart(store: ObjectStore) -> None:
    gone, short = _blob(store, "v1", "model.onnx"), _blob(store, "v2", "model.onnx")
    store.delete(gone)
    store.overwrite(short, b"")
    assert sorted(_faults(verify(store, "m", OPEN).damage)) == sorted(
        [(gone, Fault.MISSING, ("v1",)), (short, Fault.DAMAGED, ("v2",))]
    )


def test_only_what_was_asked_for_is_read(store: ObjectStore) -> None:
    store.delete(_blob(store, "v1", "model.onnx"))
    assert verify(store, "m", OPEN, "v2").damage == ()
    assert len(verify(store, "m", OPEN, "v1").damage) == 1


def test_a_manifest_that_was_replaced_is_found_by_the_channel(store: ObjectStore) -> None:
    key = keys.manifest("m", "v1")
    store.overwrite(key, read(store, key).data.replace(b'"metrics"', b'"x"') + b"\n")
    (damage,) = verify(store, "m", OPEN).damage
    assert (damage.key, damage.fault) == (key, Fault.REPLACED)
    assert "the channel production remembers" in damage.meaning


@pytest.mark.parametrize("spoil", [lambda s, k: s.delete(k), lambda s, k: s.overwrite(k, b"{")])
def test_a_manifest_that_is_gone_or_rotten_is_reported(
    store: ObjectStore, spoil: Callable[[ObjectStore, str], None]
) -> None:
    key = keys.manifest("m", "v1")
    spoil(store, key)
    damage = verify(store, "m", OPEN).damage
    assert {each.fault for each in damage} <= {Fault.MISSING, Fault.UNREADABLE}
    assert {each.key for each in damage} == {key}


def test_a_channel_that_cannot_be_read_is_reported(store: ObjectStore) -> None:
    store.overwrite(keys.channel("m", "production"), b"no channel")
    (damage,) = verify(store, "m", OPEN).damage
    assert (damage.key, damage.fault) == (keys.channel("m", "production"), Fault.UNREADABLE)


def test_where_keys_are_trusted_signatures_are_verified_too(store: ObjectStore) -> None:
    key = SigningKey.generate()
    notary = Notary(key)
    unsigned = {each.key for each in verify(store, "m", notary).damage}
    assert unsigned == {
        keys.manifest("m", "v1"),
        keys.manifest("m", "v2"),
        keys.channel("m", "production"),
    }
    registry = Registry(store, notary)
    signed: list[Version] = registry.versions("m")
    for version in signed:
        notary.sign_version(store, version)
    registry.activate("m", "v2")
    assert verify(store, "m", notary).damage == ()


def test_everything_that_is_wrong_is_told_at_once(store: ObjectStore) -> None:
    store.delete(_blob(store, "v1", "model.onnx"))
    store.overwrite(_blob(store, "v2", "model.onnx"), b"v3")
    store.overwrite(keys.channel("m", "staging"), b"")
    assert len(verify(store, "m", OPEN).damage) == 3


def test_what_is_not_there_cannot_be_verified(store: ObjectStore) -> None:
    with pytest.raises(NotFound, match="no version v9 of m"):
        verify(store, "m", OPEN, "v9")
    with pytest.raises(NotFound, match="no model named other"):
        verify(store, "other", OPEN)
