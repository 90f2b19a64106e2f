"""Every way to tamper with what is signed, tried against the rules; no store is involved."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman import channel as channels
from pointsman import document, manifest
from pointsman.channel import Author, Pointer
from pointsman.errors import PointsmanError, Untrusted
from pointsman.manifest import File, Version
from pointsman.signing.keypair import SigningKey
from pointsman.signing.notary import Notary
from pointsman.signing.statement import Signature, manifest_statement
from pointsman.signing.trust import Trust
from tests.versions import described

KEY, OTHER = SigningKey.generate(), SigningKey.generate()
NOTARY, TRUST = Notary(KEY), Trust([KEY.public])
V1 = Pointer(version="v1", digest="sha256:" + "1" * 64)
V2 = Pointer(version="v2", digest="sha256:" + "2" * 64)
AUTHOR = Author(by="somebody", at="2026-11-22T12:00:00+00:00", nonce="n", why="because")


def _signed(place: tuple[str, str] = ("m", "production"), target: Pointer = V1) -> bytes:
    moved = channels.activate(None, target, AUTHOR)
    return NOTARY.sign_channel(*place, channels.encode(moved))


def _changed(**members: Any) -> bytes:
    return document.encode(json.loads(_signed()) | members)


def test_a_signed_channel_is_believed_in_its_place() -> None:
    TRUST.check_channel("m", "production", _signed())
    assert channels.read(_signed(), "production").signed


def test_without_keys_everything_is_believed() -> None:
    Trust().check_channel("m", "production", b"anything")
    assert not Trust()


def test_an_unsigned_channel_is_not_believed() -> None:
    unsigned = channels.encode(channels.activate(None, V1, AUTHOR))
    with pytest.raises(Untrusted, match="is not signed"):
        TRUST.check_channel("m", "production", unsigned)


def test_another_key_is_not_believed_until_it_is_trusted_too() -> None:
    with pytest.raises(Untrusted, match="key that is not trusted"):
        Trust([OTHER.public]).check_channel("m", "production", _signed())
    Trust([OTHER.public, KEY.public]).check_channel("m", "production", _signed())


@pytest.mark.parametrize("place", [("m", "staging"), ("another", "production")])
def test_a_channel_pasted_over_another_is_not_believed(place: tuple[str, str]) -> None:
    with pytest.raises(Untrusted, match="not for this place"):
        TRUST.check_channel(*place, _signed())


@pytest.mark.parametrize(
    "tampered",
    [
        lambda: _changed(generation=7),
        lambda: _changed(stable={"version": "v2", "digest": V2.digest}),
        lambda: _changed(nonce="another"),
        lambda: _changed(history=[]),
        lambda: _changed(canary={"version": "v2", "digest": V2.digest, "weight": 1.0}),
        lambda: _changed(signed=json.loads(_signed(target=V2))["signed"]),
        lambda: _changed(signed={"key": OTHER.public.id, "value": "AAAA"}),
        lambda: _changed(signed={"key": KEY.public.id, "value": "not base64!"}),
        lambda: _changed(signed={"key": KEY.public.id, "value": ""}),
        lambda: _changed(signed={"key": KEY.public.id}),
        lambda: _changed(signed="yes"),
        lambda: _changed(signed=None),
        lambda: _signed() + b" ",
        lambda: _signed().replace(b'"generation":1', b'"generation":2,"generation":1'),
    ],
)
def test_no_change_of_a_signed_channel_is_believed(tampered: Callable[[], bytes]) -> None:
    with pytest.raises(Untrusted):
        TRUST.check_channel("m", "production", tampered())


@given(st.data())
def test_no_flipped_bit_of_a_signed_channel_is_believed(data: st.DataObject) -> None:
    good = _signed()
    index = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[index] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(PointsmanError):
        TRUST.check_channel("m", "production", bytes(bad))


def test_a_change_of_a_signed_channel_begins_unsigned() -> None:
    present = channels.read(_signed(), "production")
    moved = channels.activate(present, V2, AUTHOR)
    assert moved.signed is None
    assert b"signed" not in channels.encode(moved, replacing=_signed())


def _version(name: str = "v1", model: str = "m") -> Version:
    files = (File(path="a.onnx", size=1, sha256="0" * 64),)
    return manifest.seal(described(name, files, model, datetime(2026, 1, 1, tzinfo=UTC)))


def _signature(version: Version, key: SigningKey = KEY) -> Signature:
    found = version.manifest
    statement = manifest_statement(found.model, found.version, version.digest)
    return Signature.of(key.public.id, key.sign(statement))


def test_a_signed_version_is_believed_if_any_of_its_signatures_is() -> None:
    version = _version()
    TRUST.check_manifest(version, [_signature(version, OTHER), _signature(version)])


@pytest.mark.parametrize(
    "signatures",
    [
        [],
        [_signature(_version(), OTHER)],
        [_signature(_version("v2"))],
        [_signature(_version(model="another"))],
        [Signature(key=KEY.public.id, value=_signature(_version(), OTHER).value)],
        [Signature(key=KEY.public.id, value=base64.b64encode(bytes(64)).decode())],
    ],
)
def test_a_version_without_a_good_signature_is_not_believed(signatures: list[Signature]) -> None:
    with pytest.raises(Untrusted):
        TRUST.check_manifest(_version(), signatures)


def test_a_manifest_s_signature_is_not_one_of_a_channel() -> None:
    signature = _signature(_version())
    pasted = {"key": signature.key, "value": signature.value}
    with pytest.raises(Untrusted, match="wrongly signed"):
        TRUST.check_channel("m", "production", _changed(signed=pasted))


STEPS = st.lists(st.sampled_from(["v1", "v2", "v3", "back", "renew"]), min_size=1, max_size=25)


@given(STEPS)
def test_every_walk_of_a_signed_channel_stays_believed_and_only_its_present_state_is(
    steps: list[str],
) -> None:
    stored = _signed()
    for step in steps:
        before = channels.read(stored, "production")
        after = _step(before, step)
        data = NOTARY.sign_channel("m", "production", channels.encode(after, replacing=stored))
        TRUST.check_channel("m", "production", data)
        if after != before:
            assert after.generation == before.generation + 1
            pasted = json.loads(data) | {"signed": json.loads(stored)["signed"]}
            with pytest.raises(Untrusted):
                TRUST.check_channel("m", "production", document.encode(pasted))
        stored = data


@given(STEPS)
def test_signing_anew_changes_neither_what_serves_nor_where_a_rollback_goes(
    steps: list[str],
) -> None:
    channel = channels.read(_signed(), "production")
    for step in steps:
        channel = _step(channel, step)
        renewed = channels.renew(channel, AUTHOR)
        assert renewed.stable == channel.stable
        assert renewed.generation == channel.generation + 1
        assert channels.previous(renewed) == channels.previous(channel)


def _step(channel: channels.Channel, step: str) -> channels.Channel:
    if step == "renew":
        return channels.renew(channel, AUTHOR)
    if step == "back":
        if channels.previous(channel) is None:
            return channel
        return channels.rollback(channel, AUTHOR)
    digest = "sha256:" + step[1] * 64
    return channels.activate(channel, Pointer(version=step, digest=digest), AUTHOR)
