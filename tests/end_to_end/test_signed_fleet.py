"""A service that was given a public key, a command that signs, and somebody who tampers.

The service and the command are processes; the store is a directory or a real S3 server, and
whoever tampers writes to it directly, as a leaked bucket key would let them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pointsman import channel as channels
from pointsman import document, keys
from pointsman import fleet as heartbeats
from pointsman import registry as registries
from pointsman.channel import Author
from pointsman.registry import Registry
from pointsman.signing.keypair import SigningKey
from pointsman.signing.notary import Notary
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from pointsman_cli.errors import Exit
from tests.servers import service_process
from tests.servers.service_process import ServiceProcess
from tests.service.shelf import Shelf
from tests.versions import read

SCRIPT = str(Path(sys.executable).with_name("pointsman"))
CHANNEL = keys.channel("m", "production")
FACTORS = {"v1": 2.0, "v2": 3.0, "v3": 5.0}


@dataclass(frozen=True, slots=True)
class Fleet:
    """One store, the key its owner signs with, and where processes run."""

    directory: Path
    store: ObjectStore
    url: str
    key: SigningKey

    @property
    def key_file(self) -> Path:
        """The owner's private key."""
        return self.directory / "release.key"

    @property
    def registry(self) -> Registry:
        """The owner's registry."""
        return registries.open(self.url, signer=self.key)

    @property
    def channel(self) -> bytes:
        """The channel as it is in the store."""
        return read(self.store, CHANNEL).data

    def command(self, *arguments: str | Path) -> tuple[int, Any]:
        """Type `pointsman …`; return exit code and document."""
        environment = os.environ | {"POINTSMAN_STORE": self.url, "POINTSMAN_MODEL": "m"}
        ended = subprocess.run(
            [SCRIPT, *map(str, arguments), "--json"],
            cwd=self.directory,
            env=environment,
            capture_output=True,
            check=False,
        )
        return ended.returncode, json.loads(ended.stdout or b"null")


@dataclass(frozen=True, slots=True)
class Service:
    """A running service that trusts the owner's key, and where its heartbeats go."""

    process: ServiceProcess
    store: ObjectStore

    def answers_as(self, version: str) -> bool:
        """Tell whether predictions come from this version."""
        answer = self.process.predict([[1, 1, 1, 1]]).json()
        return bool(answer["outputs"]["y"] == [[FACTORS[version]] * 4])

    def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return its health once `condition` holds for it."""
        body: dict[str, Any] = {}

        def holds() -> bool:
            body.clear()
            body.update(self.process.health()[1])
            return condition(body)

        try:
            self.process.until(holds, "its health is as expected")
        except AssertionError as error:
            error.add_note(f"it says {body}")
            raise
        return body

    def has_said(self, version: str, generation: int) -> bool:
        """Tell whether its heartbeat, by which commands know it, says that it serves this."""
        return any(
            (each.heartbeat.serving, each.heartbeat.observed_generation) == (version, generation)
            for each in heartbeats.instances(self.store, "m", "production")
        )

    def until_serving(self, version: str, generation: int) -> None:
        """Wait until all is well with a version, and the fleet has heard of it."""
        self.until(
            lambda body: (
                (body["status"], body["version"], body["generation"]) == ("ok", version, generation)
                and self.has_said(version, generation)
            )
        )
        assert self.answers_as(version)

    def until_refusing(self, reason: str, serving: str) -> None:
        """Wait until it says why it does not follow, and serves what it did.

        A service that has just started refuses first, and then loads what was served last.
        """
        self.until(
            lambda body: (
                reason in body.get("reason", "")
                and (body["status"], body["version"]) == ("degraded", serving)
            )
        )
        assert self.answers_as(serving)


@pytest.fixture
def fleet(file_url: str, tmp_path: Path) -> Fleet:
    """A store where v1 and v2 are signed, v3 is not, and v1 is active."""
    return _fleet(file_url, tmp_path)


@pytest.fixture
def fleet_anywhere(store_url: str, tmp_path: Path) -> Fleet:
    """The same, in either kind of store."""
    return _fleet(store_url, tmp_path)


def _fleet(url: str, directory: Path) -> Fleet:
    fleet = Fleet(directory, open_store(url), url, SigningKey.generate())
    fleet.key.save(fleet.key_file)
    shelf = Shelf.at(url, directory / "models")
    for version, factor in FACTORS.items():
        shelf.affine(version, factor)
    for version in ("v1", "v2"):
        signed = fleet.registry.version("m", version)
        fleet.registry.notary.sign_version(fleet.store, signed)
    fleet.registry.activate("m", "v1")
    return fleet


@contextmanager
def serving(fleet: Fleet) -> Iterator[Service]:
    """Run a service; it is gone when the block ends."""
    keys_trusted = {"POINTSMAN_PUBLIC_KEYS": str(fleet.key.public)}
    place = fleet.directory / "service"
    with service_process.running(place, fleet.url, **keys_trusted) as process:
        yield Service(process, fleet.store)


def test_a_key_holder_switches_and_goes_back_and_nobody_else_does(fleet: Fleet) -> None:
    stranger = fleet.directory / "stranger.key"
    SigningKey.generate().save(stranger)
    with serving(fleet) as service:
        service.until_serving("v1", 1)

        code, moved = fleet.command("activate", "v2", "--sign", fleet.key_file)
        assert (code, moved["instances"][0]["state"]) == (Exit.DONE, "serving")
        service.until_serving("v2", 2)

        code, _ = fleet.command("activate", "v1")
        assert code == Exit.FAILED
        code, back = fleet.command("rollback", "--sign", fleet.key_file)
        assert (code, back["to"], back["generation"]) == (Exit.DONE, "v1", 3)
        service.until_serving("v1", 3)

        Notary(SigningKey.load(stranger)).sign_version(
            fleet.store, fleet.registry.version("m", "v2")
        )
        code, refused = fleet.command("activate", "v2", "--sign", stranger)
        assert code == Exit.REFUSED
        assert "signed by a key that is not trusted" in refused["instances"][0]["reason"]
        service.until_refusing("signed by a key that is not trusted", "v1")

        code, _ = fleet.command("activate", "v2", "--sign", fleet.key_file)
        assert code == Exit.DONE
        assert service.answers_as("v2")
    assert fleet.key_file.read_text().splitlines()[1] not in (
        (fleet.directory / "service" / "service.log").read_text()
    )


def test_a_canary_is_followed_where_a_key_holder_started_it_and_nowhere_else(
    fleet: Fleet,
) -> None:
    with serving(fleet) as service:
        service.until_serving("v1", 1)
        code, _ = fleet.command("rollout", "start", "v2")
        assert code == Exit.FAILED
        code, _ = fleet.command("rollout", "start", "v3", "--sign", fleet.key_file)
        assert code == Exit.FAILED, "v3 is signed by nobody"

        # It gets no requests, so that every answer tells which document was believed.
        start = ("rollout", "start", "v2", "--weight", "0", "--sign", fleet.key_file)
        code, started = fleet.command(*start)
        assert (code, started["instances"][0]["state"]) == (Exit.DONE, "serving")
        signed = fleet.channel
        heavier = json.loads(signed)
        for place in (heavier, heavier["history"][-1]):
            place["canary"]["weight"] = 100
        fleet.store.overwrite(CHANNEL, document.encode(heavier))
        service.until_refusing("wrongly signed", "v1")
        fleet.store.overwrite(CHANNEL, signed)
        service.until_serving("v1", 2)

        code, promoted = fleet.command("rollout", "promote", "--sign", fleet.key_file)
        assert (code, promoted["to"]) == (Exit.DONE, "v2")
        service.until_serving("v2", 3)


def _unsigned(fleet: Fleet) -> bytes:
    members = json.loads(fleet.channel)
    del members["signed"]
    return document.encode(members)


def _pointing_elsewhere(fleet: Fleet) -> bytes:
    """A rollback that nobody signed, with the signature of what was there."""
    present = channels.read(fleet.channel, "production")
    author = Author(by="a thief", at="2026-11-22T12:00:00+00:00", nonce="x")
    moved = channels.encode(channels.rollback(present, author))
    return document.encode(json.loads(moved) | {"signed": json.loads(fleet.channel)["signed"]})


def _of_another_channel(fleet: Fleet) -> bytes:
    for version in ("v1", "v2", "v1", "v2"):
        fleet.registry.activate("m", version, "staging")
    return read(fleet.store, keys.channel("m", "staging")).data


def test_whatever_is_written_over_the_channel_the_last_good_version_goes_on(
    fleet_anywhere: Fleet,
) -> None:
    fleet = fleet_anywhere
    first = fleet.channel
    fleet.registry.activate("m", "v2")
    good = fleet.channel
    attacks = {
        "is not signed": _unsigned(fleet),
        "wrongly signed": _pointing_elsewhere(fleet),
        "not for this place": _of_another_channel(fleet),
        "is an old one: its generation is 1, and 2 was followed": first,
    }
    with serving(fleet) as service:
        service.until_serving("v2", 2)
        for reason, tampered in attacks.items():
            fleet.store.overwrite(CHANNEL, tampered)
            service.until_refusing(reason, "v2")
            fleet.store.overwrite(CHANNEL, good)
            service.until_serving("v2", 2)
        code, back = fleet.command("rollback", "--sign", fleet.key_file)
        assert (code, back["to"]) == (Exit.DONE, "v1")
        service.until_serving("v1", 3)


def test_a_restart_forgets_neither_how_far_it_was_nor_what_served(fleet: Fleet) -> None:
    first = fleet.channel
    fleet.registry.activate("m", "v2")
    with serving(fleet) as service:
        service.until_serving("v2", 2)
    fleet.store.overwrite(CHANNEL, first)
    with serving(fleet) as service:
        service.until_refusing("is an old one", "v2")


def test_an_unsigned_version_is_refused_even_where_the_channel_is_signed(fleet: Fleet) -> None:
    with serving(fleet) as service:
        service.until_serving("v1", 1)
        # Whoever has the activation key, but not the publisher's, gets no version of theirs served.
        Registry(fleet.store, _Careless(fleet.key)).activate("m", "v3")
        service.until_refusing("the version v3 of m is not signed by a trusted key", "v1")

        code, _ = fleet.command("rollback", "--sign", fleet.key_file)
        assert code == Exit.DONE
        service.until_serving("v1", 3)


def test_replaced_manifests_and_flipped_blobs_are_refused(fleet: Fleet) -> None:
    manifest = keys.manifest("m", "v2")
    whole = read(fleet.store, manifest).data
    with serving(fleet) as service:
        service.until_serving("v1", 1)

        fleet.registry.activate("m", "v2", "staging")
        fleet.store.overwrite(manifest, whole.replace(b'"note"', b'"n0te"') + b" ")
        code, _ = fleet.command("activate", "v2", "--sign", fleet.key_file)
        assert code == Exit.FAILED
        fleet.store.overwrite(manifest, whole)

        blob = keys.blob("m", fleet.registry.version("m", "v2").manifest.files[0].sha256)
        data = bytearray(read(fleet.store, blob).data)
        data[-1] ^= 1
        fleet.store.overwrite(blob, bytes(data))
        code, refused = fleet.command("activate", "v2", "--sign", fleet.key_file)
        assert code == Exit.REFUSED
        assert "is damaged" in refused["instances"][0]["reason"]
        assert refused["put_back"]["to"] == "v1"
        service.until_serving("v1", 3)


def test_a_first_start_that_finds_nothing_it_may_serve_is_not_ready(fleet: Fleet) -> None:
    fleet.store.overwrite(CHANNEL, _unsigned(fleet))
    with serving(fleet) as service:
        body = service.until(lambda body: body["status"] == "failed")
        assert body["model_loaded"] is False
        assert "is not signed" in body["reason"]
        fleet.registry.activate("m", "v1")
        service.until_serving("v1", 2)


class _Careless(Notary):
    """Signs channels that name anything."""

    def check_version(self, *_: Any) -> None:
        """Look away."""
