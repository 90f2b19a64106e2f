"""Whom to believe: the rules by which a reader with public keys takes a document, or does not.

Any one of the keys is enough, so that a key can be replaced without a moment when nothing is
believed. Without keys everything is believed, as it always was. Pure: no store, no clock.
"""

from collections.abc import Iterable

import msgspec

from pointsman import document
from pointsman.errors import Untrusted
from pointsman.manifest import Version
from pointsman.signing.keypair import PublicKey
from pointsman.signing.statement import (
    SIGNED,
    Signature,
    channel_statement,
    manifest_statement,
)

_SIGN_IT = "Sign with a key whose public half is trusted: --sign KEYFILE."


class Trust:
    """A set of public keys; false when it is empty."""

    def __init__(self, keys: Iterable[PublicKey] = ()) -> None:
        self._keys = {key.id: key for key in keys}

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def ids(self) -> list[str]:
        """The ids of the keys."""
        return list(self._keys)

    def check_channel(self, model: str, name: str, data: bytes) -> None:
        """Raise `Untrusted` unless `data` is a channel that a trusted key signed for this place.

        The bytes must be canonical: what was signed is then exactly what is read.
        """
        if not self:
            return
        what = f"the channel {name} of {model}"
        members = document.members(data, what)
        if members.get(SIGNED) is None:
            raise Untrusted(f"{what} is not signed", _SIGN_IT)
        try:
            signature = msgspec.convert(members[SIGNED], Signature)
        except msgspec.ValidationError:
            raise Untrusted(f"{what} has a signature that cannot be read", _SIGN_IT) from None
        if document.encode(members) != data:
            raise Untrusted(f"{what} was written by something else than pointsman")
        self._check(signature, channel_statement(model, name, members), what)

    def check_manifest(self, version: Version, signatures: Iterable[Signature]) -> None:
        """Raise `Untrusted` unless one of the `signatures` is a trusted key's for this version."""
        if not self:
            return
        model, name = version.manifest.model, version.manifest.version
        what = f"the version {name} of {model}"
        statement = manifest_statement(model, name, version.digest)
        refusal = Untrusted(f"{what} is not signed by a trusted key", _SIGN_IT)
        for signature in signatures:
            try:
                self._check(signature, statement, what)
            except Untrusted as error:
                refusal = error
            else:
                return
        raise refusal

    def _check(self, signature: Signature, statement: bytes, what: str) -> None:
        key = self._keys.get(signature.key)
        if key is None:
            raise Untrusted(f"{what} is signed by a key that is not trusted", _SIGN_IT)
        if not key.verifies(signature.raw, statement):
            raise Untrusted(
                f"{what} is wrongly signed: this is not what was signed, or not for this place",
                "Somebody may have tampered with it: look at who can write to the store.",
            )
