"""API keys: who may ask for predictions, and who may change what is served.

Only their SHA-256 digests are kept, from the moment they are read. A key may be given to the
service as its digest, too: `sha256:` and 64 hexadecimal digits.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping

from pointsman.errors import InvalidName
from pointsman_service.errors import KeyRefused

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_KEY = re.compile(r"[\x21-\x7e]{16,256}")
_BEARER = b"bearer "


class Keys:
    """A set of keys; an empty one is false, and accepts nothing."""

    def __init__(self, digests: str) -> None:
        """Take what `hashed` returned."""
        self._digests = [bytes.fromhex(each.removeprefix("sha256:")) for each in digests.split()]

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._digests)

    def accepts(self, key: bytes) -> bool:
        """Tell whether a key is one of these, in a time that does not depend on which."""
        digest = hashlib.sha256(key).digest()
        return sum(hmac.compare_digest(digest, each) for each in self._digests) > 0

    def require(self, headers: Mapping[bytes, bytes]) -> None:
        """Raise `KeyRefused` unless a request brings a key that is accepted."""
        key = presented(headers)
        if not key:
            raise KeyRefused("this needs an API key, as X-API-Key or as Authorization: Bearer")
        if not self.accepts(key):
            raise KeyRefused("this API key is not accepted here")


class Admission:
    """Lets the requests of one connection in; a key that was accepted is not hashed again."""

    __slots__ = ("_accepted", "_keys", "_open")

    def __init__(self, keys: Keys) -> None:
        """Let everybody in if there are no keys."""
        self._keys = keys
        self._open = not keys
        self._accepted = b""

    def admits(self, headers: Mapping[bytes, bytes]) -> bool:
        """Tell whether a request brings a key that is accepted, if one is needed."""
        if self._open:
            return True
        key = presented(headers)
        if hmac.compare_digest(key, self._accepted) and key:
            return True
        if not self._keys.accepts(key):
            return False
        self._accepted = key
        return True


def presented(headers: Mapping[bytes, bytes]) -> bytes:
    """Return the key that a request brings, "" if it brings none; `headers` by lower-case name."""
    key = headers.get(b"x-api-key")
    if key is None:
        authorization = headers.get(b"authorization", b"")
        if authorization[: len(_BEARER)].lower() == _BEARER:
            key = authorization[len(_BEARER) :].strip()
    return key or b""


def hashed(text: str) -> str:
    """Turn keys, separated by spaces or commas, into their digests.

    Raises `InvalidName`, which repeats no key.
    """
    return " ".join(map(_hashed, text.replace(",", " ").split()))


def _hashed(key: str) -> str:
    if _DIGEST.fullmatch(key):
        return key
    if not _KEY.fullmatch(key):
        raise InvalidName(
            "not a key",
            "A key has 16 to 256 printable characters and no spaces; "
            "`python -c 'import secrets; print(secrets.token_urlsafe(32))'` makes one.",
        )
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
