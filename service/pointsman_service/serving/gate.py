"""The gate: what may be served here at all, where public keys are configured.

A channel must be signed by one of the keys, and must not be older than one that passed before:
whoever can write to the store, and has no key, can neither point this machine elsewhere nor bring
back an old state. How far it was is kept beside the cache, so that a restart does not forget it. A
version's manifest must be signed too; its signature is kept likewise, for a start without the
store. Without keys everything passes.
"""

import hashlib
import logging
from pathlib import Path
from typing import TypeVar

import msgspec

from pointsman import document, staging
from pointsman.channel import Channel
from pointsman.digest import hex_of
from pointsman.errors import PointsmanError, Untrusted
from pointsman.manifest import Version
from pointsman.signing import signatures
from pointsman.signing.statement import Signature
from pointsman.signing.trust import Trust
from pointsman.stores.base import ObjectStore

log = logging.getLogger(__name__)

Record = TypeVar("Record", bound=msgspec.Struct)


class _Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a channel: the highest generation that passed."""

    generation: int


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Signatures of one version that were believed."""

    signatures: tuple[Signature, ...]


class Gate:
    """Lets channels and versions pass, or says why not."""

    def __init__(
        self, trust: Trust, store: ObjectStore, cache: Path, model: str, name: str
    ) -> None:
        """Remember below `cache`, and apart for every store: each has generations of its own."""
        self._trust = trust
        self._store = store
        self._place = (model, name)
        self._root = cache / "trust"
        origin = hashlib.sha256(store.url.encode()).hexdigest()[:16]
        self._memory = self._root / origin / model / f"{name}.json"
        self._highest = self._remembered() if trust else 0
        if trust:
            log.info("serving only what one of these keys signed: %s", ", ".join(trust.ids))

    def doubt(self, channel: Channel, data: bytes) -> str:
        """Say why a channel must not be followed; "" when it may, and then it is remembered."""
        if not self._trust:
            return ""
        try:
            self._trust.check_channel(*self._place, data)
        except PointsmanError as error:
            return str(error)
        if channel.generation < self._highest:
            return (
                f"the channel {self._place[1]} of {self._place[0]} is an old one: its generation "
                f"is {channel.generation}, and {self._highest} was followed here already"
            )
        self._remember(channel.generation)
        return ""

    def check_version(self, version: Version) -> None:
        """Raise `Untrusted` unless a trusted key signed the version.

        The store is asked only for signatures that are not kept here; raises `StoreError` when it
        does not answer then.
        """
        if not self._trust:
            return
        kept = self._root / "signatures" / f"{hex_of(version.digest)}.json"
        try:
            self._trust.check_manifest(version, _read(kept, _Kept).signatures)
        except (OSError, PointsmanError):
            found = signatures.find(self._store, version, self._trust.ids)
            self._trust.check_manifest(version, found)
            _write(kept, _Kept(signatures=tuple(found)))

    def _remembered(self) -> int:
        """Read how far it was; a memory that cannot be read is refused, not begun anew."""
        try:
            return _read(self._memory, _Progress).generation
        except FileNotFoundError:
            return 0
        except (OSError, PointsmanError) as error:
            raise Untrusted(
                f"{self._memory}, which remembers how far the channel was, cannot be read: {error}",
                "Remove the file if nobody tampered with it.",
            ) from error

    def _remember(self, generation: int) -> None:
        if generation > self._highest:
            self._highest = generation
            _write(self._memory, _Progress(generation=generation))


def _read(path: Path, kind: type[Record]) -> Record:
    return document.decode(path.read_bytes(), kind, str(path))


def _write(path: Path, record: msgspec.Struct) -> None:
    try:
        staging.write(path, document.encode(record))
    except OSError as error:
        log.warning("%s cannot be written: %s", path, error)
