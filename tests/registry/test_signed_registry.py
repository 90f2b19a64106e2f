"""Signing through the registry on real stores: what is signed, and what is not built on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pointsman import channel as channels
from pointsman import document, keys
from pointsman.channel import ROLLBACK
from pointsman.errors import ContentMismatch, NothingToRollBack, Untrusted
from pointsman.registry import Registry
from pointsman.signing.keypair import SigningKey
from pointsman.signing.notary import Notary
from pointsman.signing.trust import Trust
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from tests import models
from tests.fakes.unreliable_store import FlakyStore
from tests.versions import put, read

KEY, OTHER = SigningKey.generate(), SigningKey.generate()
TRUST = Trust([KEY.public])
CHANNEL = keys.channel("m", "production")


def _signed(store: ObjectStore, key: SigningKey = KEY) -> Registry:
    return Registry(store, Notary(key))


@pytest.fixture
def store(store_url: str) -> ObjectStore:
    """A store with v1 and v2, both signed."""
    store = open_store(store_url)
    for name in ("v1", "v2"):
        Notary(KEY).sign_version(store, put(store, name, {"a.onnx": name.encode()}))
    return store


def _believed(store: ObjectStore, trust: Trust = TRUST) -> bool:
    try:
        trust.check_channel("m", "production", read(store, CHANNEL).data)
    except Untrusted:
        return False
    return True


def test_every_change_with_a_key_is_signed_in_one_object(store: ObjectStore) -> None:
    registry = _signed(store)
    registry.activate("m", "v1")
    assert _believed(store)
    registry.activate("m", "v2")
    assert _believed(store)
    registry.rollback("m")
    assert _believed(store)
    assert [info.key for info in store.scan(keys.channels("m"))] == [CHANNEL]
    assert registry.channel("m", "production").generation == 3


def test_without_keys_nothing_is_signed_and_nothing_asked_for(store: ObjectStore) -> None:
    Registry(store).activate("m", "v1")
    assert "signed" not in json.loads(read(store, CHANNEL).data)


def test_a_signed_channel_is_not_changed_without_a_signature(store: ObjectStore) -> None:
    _signed(store).activate("m", "v1")
    with pytest.raises(Untrusted, match="no signing key"):
        Registry(store).activate("m", "v2")
    with pytest.raises(Untrusted, match="no signing key"):
        Registry(store).rollback("m")
    assert _believed(store)


def test_where_keys_are_trusted_a_change_needs_one(store: ObjectStore) -> None:
    with pytest.raises(Untrusted, match="no signing key"):
        Registry(store, Notary(trusted=[KEY.public])).activate("m", "v1")


def test_an_unsigned_version_is_not_activated_with_a_key(store: ObjectStore) -> None:
    put(store, "v3", {"a.onnx": b"3"})
    with pytest.raises(Untrusted, match="version v3 of m is not signed"):
        _signed(store).activate("m", "v3")


def test_a_version_that_was_published_unsigned_can_be_signed_later(store: ObjectStore) -> None:
    version = put(store, "v3", {"a.onnx": b"3"})
    Notary(KEY).sign_version(store, version)
    assert _signed(store).activate("m", "v3").stable.version == "v3"


def test_signing_what_is_active_already_is_a_change_of_its_own(store: ObjectStore) -> None:
    Registry(store).activate("m", "v1")
    registry = _signed(store)
    assert registry.activate("m", "v1").generation == 2
    assert _believed(store)
    assert registry.activate("m", "v1").generation == 2


def test_a_retired_key_is_replaced_without_a_moment_of_distrust(store: ObjectStore) -> None:
    _signed(store).activate("m", "v1")
    both = Trust([KEY.public, OTHER.public])
    rotating = Registry(store, Notary(OTHER, [KEY.public]))
    assert rotating.activate("m", "v2").generation == 2
    assert _believed(store, both)
    for version in rotating.versions("m"):
        rotating.notary.sign_version(store, version)
    assert _signed(store, OTHER).rollback("m").stable.version == "v1"
    assert _believed(store, Trust([OTHER.public]))


def _unsign(store: ObjectStore) -> None:
    members = json.loads(read(store, CHANNEL).data)
    del members["signed"]
    store.overwrite(CHANNEL, document.encode(members))


def _rewrite_history(store: ObjectStore) -> None:
    members = json.loads(read(store, CHANNEL).data)
    members["history"][0]["version"] = "v7"
    store.overwrite(CHANNEL, document.encode(members))


def _another_channel(store: ObjectStore) -> None:
    registry = _signed(store)
    registry.activate("m", "v2", "staging")
    registry.activate("m", "v1", "staging")
    store.overwrite(CHANNEL, read(store, keys.channel("m", "staging")).data)


@pytest.mark.parametrize("tamper", [_unsign, _rewrite_history, _another_channel])
def test_a_rollback_does_not_build_on_a_past_that_was_tampered_with(
    store: ObjectStore, tamper: Callable[[ObjectStore], None]
) -> None:
    registry = _signed(store)
    registry.activate("m", "v1")
    registry.activate("m", "v2")
    tamper(store)

    with pytest.raises(Untrusted, match="cannot be relied on"):
        registry.rollback("m")

    assert registry.activate("m", "v1").stable.version == "v1"
    assert _believed(store)


def test_a_replaced_manifest_is_neither_activated_nor_gone_back_to(store: ObjectStore) -> None:
    registry = _signed(store)
    registry.activate("m", "v1")
    registry.activate("m", "v2")
    manifest = read(store, keys.manifest("m", "v1")).data
    store.overwrite(keys.manifest("m", "v1"), manifest.replace(b"a.onnx", b"b.onnx"))
    with pytest.raises(Untrusted, match="version v1 of m is not signed"):
        registry.activate("m", "v1", "staging")
    with pytest.raises(ContentMismatch, match="not the one its channel names"):
        registry.rollback("m")


def test_a_signature_of_another_version_is_worth_nothing(store: ObjectStore) -> None:
    version = put(store, "v3", {"a.onnx": b"3"})
    signature = next(iter(store.scan(keys.signatures("m"))))
    place = keys.signature("m", version.digest.removeprefix("sha256:"), KEY.public.id)
    store.overwrite(place, read(store, signature.key).data)
    with pytest.raises(Untrusted, match="wrongly signed"):
        _signed(store).activate("m", "v3")


@pytest.mark.parametrize("rotten", [b"", b"{}", b"[]", b"\xff", b'{"key":1,"value":2}'])
def test_a_rotten_signature_is_none(store: ObjectStore, rotten: bytes) -> None:
    for info in store.scan(keys.signatures("m")):
        store.overwrite(info.key, rotten)
    with pytest.raises(Untrusted, match="is not signed by a trusted key"):
        _signed(store).activate("m", "v1")


def test_a_signed_write_whose_answer_is_lost_is_recognised_as_ones_own(store: ObjectStore) -> None:
    _signed(store).activate("m", "v1")
    moved = _signed(FlakyStore(store, "update")).activate("m", "v2")
    assert (moved.generation, moved.stable.version) == (2, "v2")
    assert _believed(store)


def test_what_signing_adds_does_not_get_into_the_way_of_reading(store: ObjectStore) -> None:
    registry = _signed(store)
    registry.activate("m", "v1")
    registry.activate("m", "v2")
    channel = channels.read(read(store, CHANNEL).data, "production")
    assert channel.signed is not None
    assert channel.signed.key == KEY.public.id
    assert [version.manifest.version for version in Registry(store).versions("m")] == ["v1", "v2"]
    assert Registry(store).models() == ["m"]
    registry.rollback("m")
    assert registry.channel("m", "production").history[-1].action == ROLLBACK
    with pytest.raises(NothingToRollBack):
        registry.rollback("m")


def test_publishing_with_a_key_signs_and_publishing_again_adds_what_is_missing(
    file_url: str, tmp_path: Path
) -> None:
    store = open_store(file_url)
    model = models.affine(tmp_path / "model.onnx")
    assert Registry(store).publish("m", "v1", model).created
    signed = _signed(store)
    assert not signed.publish("m", "v1", model).created
    assert signed.activate("m", "v1").generation == 1
    assert signed.publish("m", "v2", model).created
    assert signed.activate("m", "v2").generation == 2


def test_a_dry_run_signs_nothing(file_url: str, tmp_path: Path) -> None:
    store = open_store(file_url)
    _signed(store).publish("m", "v1", models.affine(tmp_path / "model.onnx"), dry_run=True)
    assert list(store.scan(keys.MODELS)) == []
