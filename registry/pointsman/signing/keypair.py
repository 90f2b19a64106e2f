"""Keys: the private one that signs, kept in a file, and the public ones that services trust.

The only importer of `cryptography`, and only once a key is used: it takes longer to import than
all else of the library. Nothing here ever puts a private key, or a text that was taken for a
key, into an error, a log or a representation.
"""

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pointsman.errors import KeyUnusable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_PREFIX = "ed25519:"
_RAW_BYTES = 32
_ID_DIGITS = 16
_LONGEST_FILE = 64 << 10
_LOOKS_SECRET = re.compile(r"PRIVATE KEY|\n|MC4CAQ|(^|/)[A-Za-z0-9+/]{43}=$")
_SEPARATORS = re.compile(r"[\s,]+")


class PublicKey:
    """A key that believes signatures; equal keys are the same key."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """Read `ed25519:<base64>`; raises `KeyUnusable` without repeating what was given."""
        try:
            raw = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if not text.startswith(_PREFIX) or len(raw) != _RAW_BYTES:
            raise KeyUnusable(
                "a public key is not of the form ed25519:<44 characters>",
                "`pointsman keys new` prints one.",
            )
        return cls(raw)

    @property
    def id(self) -> str:
        """A short name for this key, by which signatures say whose they are."""
        return hashlib.sha256(self._raw).hexdigest()[:_ID_DIGITS]

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether the private half of this key signed `message`."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self._raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def __str__(self) -> str:
        """Render as the text that `parse` reads."""
        return _PREFIX + base64.b64encode(self._raw).decode()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self._raw == other._raw

    def __hash__(self) -> int:
        return hash(self._raw)


class SigningKey:
    """A private key."""

    def __init__(self, private: "Ed25519PrivateKey") -> None:
        self._private = private

    @classmethod
    def generate(cls) -> "SigningKey":
        """Make a new key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Read a key that `save`, or `openssl genpkey -algorithm ed25519`, wrote.

        Raises `KeyUnusable` when the file cannot be read or holds something else.
        """
        if _LOOKS_SECRET.search(str(path)):
            raise KeyUnusable(
                "the signing key must be given as the path of a file, and not as the key itself",
                "Treat that key as known to others, and make a new one: `pointsman keys new`.",
            )
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            with path.open("rb") as file:
                private = load_pem_private_key(file.read(_LONGEST_FILE), password=None)
        except OSError as error:
            raise KeyUnusable(
                f"the signing key {path} cannot be read: {error.strerror}",
                "`pointsman keys new` makes one.",
            ) from error
        except (ValueError, TypeError, UnsupportedAlgorithm):
            private = None
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyUnusable(
                f"{path} is not an Ed25519 private key in PEM, without a password",
                "`pointsman keys new` makes one.",
            )
        return cls(private)

    def save(self, path: Path) -> None:
        """Write the key to a new file that only its owner can read.

        Raises `KeyUnusable` when something is there already: a lost key cannot be had again.
        """
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        pem = self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # The mode is given at birth: there is no moment when others can read it.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(pem)
        except FileExistsError:
            raise KeyUnusable(f"{path} exists", "Choose another name with --out.") from None
        except OSError as error:
            raise KeyUnusable(f"cannot write {path}: {error.strerror}") from error

    @property
    def public(self) -> PublicKey:
        """The half that may be shown to everyone."""
        return PublicKey(self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Sign; the same message always gets the same signature."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey({self.public.id})"


def parse_all(texts: Iterable[str]) -> tuple[PublicKey, ...]:
    """Read public keys, several in a text if separated by commas or spaces; each once.

    Raises `KeyUnusable` when one is not a public key.
    """
    words = [word for text in texts for word in _SEPARATORS.split(text) if word]
    return tuple(dict.fromkeys(PublicKey.parse(word) for word in words))
