"""What is signed: bytes that say of which model, channel or version they speak.

A signature is worth nothing outside of what it was given for: the first line of a statement
names its kind, the next ones its place, so that a channel pasted over another, or a manifest
under another name, is not what was signed.
"""

import base64
import binascii
from typing import Any

import msgspec

from pointsman import document

SIGNED = "signed"
"""The member of a channel that holds its signature."""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Whose signature it is, by the key's id, and its bytes in base64."""

    key: str
    value: str

    @classmethod
    def of(cls, key: str, raw: bytes) -> "Signature":
        """Wrap raw bytes."""
        return cls(key=key, value=base64.b64encode(raw).decode())

    @property
    def raw(self) -> bytes:
        """The bytes; empty when they are not base64, and then no key believes them."""
        try:
            return base64.b64decode(self.value, validate=True)
        except (binascii.Error, ValueError):
            return b""


def manifest_statement(model: str, version: str, digest: str) -> bytes:
    """Return what the publisher of a version signs."""
    return f"pointsman manifest 1\n{model}\n{version}\n{digest}\n".encode()


def channel_statement(model: str, channel: str, members: dict[str, Any]) -> bytes:
    """Return what somebody who moves a channel signs: all of its document but the signature."""
    place = f"pointsman channel 1\n{model}\n{channel}\n".encode()
    unsigned = {name: value for name, value in members.items() if name != SIGNED}
    return place + document.encode(unsigned)
