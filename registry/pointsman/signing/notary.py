"""The notary: what a registry signs with, and what it checks before it signs anything.

Signing a change of a channel vouches for all that the channel then says. So the version it names
must be signed by a trusted key, and a change that builds on the channel's past demands that this
past was signed too. A channel that is signed is never changed without a signature.
"""

from collections.abc import Iterable

from pointsman import document
from pointsman.channel import Channel
from pointsman.errors import Untrusted
from pointsman.manifest import Version
from pointsman.signing import signatures
from pointsman.signing.keypair import PublicKey, SigningKey
from pointsman.signing.statement import SIGNED, Signature, channel_statement
from pointsman.signing.trust import Trust
from pointsman.stores.base import ObjectStore


class Notary:
    """A private key, if there is one, and the public keys that are trusted beside its own."""

    def __init__(self, signer: SigningKey | None = None, trusted: Iterable[PublicKey] = ()) -> None:
        self._signer = signer
        self.trust = Trust([*trusted, *([signer.public] if signer else [])])

    @property
    def signs(self) -> bool:
        """Whether there is a key to sign with."""
        return self._signer is not None

    def require_signer(self, present: Channel | None) -> None:
        """Raise `Untrusted` for a change that nobody would believe: unsigned where it matters."""
        if self._signer is None and (self.trust or (present is not None and present.signed)):
            raise Untrusted(
                "this channel's changes must be signed, and no signing key is given",
                "Use --sign KEYFILE, POINTSMAN_SIGNING_KEY or signing_key in pointsman.toml.",
            )

    def check_version(self, store: ObjectStore, version: Version) -> None:
        """Raise `Untrusted` unless a trusted key signed the version; `StoreError`."""
        if self.trust:
            self.trust.check_manifest(version, signatures.find(store, version, self.trust.ids))

    def check_past(self, model: str, name: str, data: bytes) -> None:
        """Raise `Untrusted` when the channel as it is cannot be built on."""
        try:
            self.trust.check_channel(model, name, data)
        except Untrusted as error:
            raise Untrusted(
                f"{error.message}; what it remembers cannot be relied on",
                "Name the version that shall serve: `pointsman activate VERSION --sign KEYFILE`.",
            ) from error

    def believes(self, model: str, name: str, data: bytes) -> bool:
        """Tell whether a channel is signed as a reader with these keys wants it."""
        try:
            self.trust.check_channel(model, name, data)
        except Untrusted:
            return False
        return True

    def sign_version(self, store: ObjectStore, version: Version) -> None:
        """Sign a published version, if there is a key."""
        if self._signer is not None:
            signatures.sign(store, version, self._signer)

    def sign_channel(self, model: str, name: str, data: bytes) -> bytes:
        """Return the channel's document with its signature, if there is a key."""
        if self._signer is None:
            return data
        members = document.members(data, f"the channel {name}")
        signed = self._signer.sign(channel_statement(model, name, members))
        signature = Signature.of(self._signer.public.id, signed)
        return document.encode(members | {SIGNED: {"key": signature.key, "value": signature.value}})
