"""The gate: what passes, what is remembered, and what a restart or a lost store changes."""

from pathlib import Path

import pytest

from pointsman import channel as channels
from pointsman import keys
from pointsman.channel import Channel
from pointsman.errors import PointsmanError, StoreUnreachable, Untrusted
from pointsman.registry import Registry
from pointsman.signing.keypair import SigningKey
from pointsman.signing.notary import Notary
from pointsman.signing.trust import Trust
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from pointsman_service.serving.gate import Gate
from pointsman_service.settings import from_environment
from tests.fakes.unreliable_store import OfflineStore
from tests.versions import put, read

KEY, OTHER = SigningKey.generate(), SigningKey.generate()
CHANNEL = keys.channel("m", "production")


class Guarded:
    """A signed store, and gates before it."""

    def __init__(self, url: str, cache: Path) -> None:
        self.store = open_store(url)
        self.cache = cache
        self.registry = Registry(self.store, Notary(KEY))
        self.versions = [put(self.store, name, {"a": name.encode()}) for name in ("v1", "v2")]
        for version in self.versions:
            self.registry.notary.sign_version(self.store, version)

    def moved(self, version: str) -> tuple[Channel, bytes]:
        """Activate, and return what a service would read."""
        self.registry.activate("m", version)
        data = read(self.store, CHANNEL).data
        return channels.read(data, "production"), data

    def gate(self, trust: Trust | None = None, store: ObjectStore | None = None) -> Gate:
        """Build a gate, as every start of the service does."""
        trust = Trust([KEY.public]) if trust is None else trust
        return Gate(trust, store or self.store, self.cache, "m", "production")


@pytest.fixture
def guarded(file_url: str, tmp_path: Path) -> Guarded:
    """A store with two signed versions."""
    return Guarded(file_url, tmp_path / "cache")


def test_generations_may_stay_or_rise_but_not_fall(guarded: Guarded) -> None:
    first, second = guarded.moved("v1"), guarded.moved("v2")
    gate = guarded.gate()
    assert gate.doubt(*first) == ""
    assert gate.doubt(*second) == ""
    assert gate.doubt(*second) == ""
    assert "generation is 1, and 2 was followed here" in gate.doubt(*first)


def test_a_restart_does_not_forget_and_another_store_is_another_story(
    guarded: Guarded, tmp_path: Path
) -> None:
    first, second = guarded.moved("v1"), guarded.moved("v2")
    assert guarded.gate().doubt(*second) == ""
    assert "is an old one" in guarded.gate().doubt(*first)
    elsewhere = open_store((tmp_path / "elsewhere").as_uri())
    assert guarded.gate(store=elsewhere).doubt(*first) == ""


def test_what_was_not_believed_does_not_count_as_seen(guarded: Guarded) -> None:
    first = guarded.moved("v1")
    Registry(guarded.store, Notary(OTHER, [KEY.public])).activate("m", "v2")
    stolen = read(guarded.store, CHANNEL).data
    gate = guarded.gate()
    assert "not trusted" in gate.doubt(channels.read(stolen, "production"), stolen)
    assert gate.doubt(*first) == ""


def test_a_memory_that_cannot_be_read_is_not_begun_anew(guarded: Guarded) -> None:
    guarded.gate().doubt(*guarded.moved("v1"))
    (memory,) = guarded.cache.rglob("production.json")
    memory.write_bytes(b"rotten")
    with pytest.raises(Untrusted, match="cannot be read"):
        guarded.gate()


def test_a_version_passes_with_its_signature_and_later_without_the_store(guarded: Guarded) -> None:
    offline = OfflineStore(guarded.store)
    with pytest.raises(StoreUnreachable):
        guarded.gate(store=offline).check_version(guarded.versions[0])
    guarded.gate().check_version(guarded.versions[0])
    guarded.gate(store=offline).check_version(guarded.versions[0])


def test_a_kept_signature_is_worth_nothing_once_its_key_is_not_trusted(guarded: Guarded) -> None:
    guarded.gate().check_version(guarded.versions[0])
    with pytest.raises(Untrusted):
        guarded.gate(Trust([OTHER.public])).check_version(guarded.versions[0])


def test_without_keys_everything_passes_and_nothing_is_kept(guarded: Guarded) -> None:
    gate = guarded.gate(Trust())
    second = guarded.moved("v2")
    assert gate.doubt(second[0], b"anything") == ""
    gate.check_version(put(guarded.store, "v3", {"a": b"3"}))
    assert not guarded.cache.exists()


def test_both_variables_name_keys_and_neither_may_be_empty_talk() -> None:
    known = {"POINTSMAN_STORE": "file:///tmp", "POINTSMAN_MODEL": "m"}
    both = known | {
        "POINTSMAN_PUBLIC_KEYS": str(KEY.public),
        "POINTSMAN_PUBLIC_KEY": str(OTHER.public),
    }
    assert from_environment(both).trusted_keys == (KEY.public, OTHER.public)
    assert from_environment(known).trusted_keys == ()
    for nothing in (" ", ",", "ed25519:", "true"):
        with pytest.raises(PointsmanError):
            from_environment(known | {"POINTSMAN_PUBLIC_KEY": nothing})
