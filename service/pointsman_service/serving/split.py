"""Which requests a canary gets: a share of them, always the same users if there is a key.

Pure. A key falls on one of 2**32 places by its hash, and the canary takes the places below its
weight: the same key has the same answerer on every instance, raising the weight never moves
anybody back, and another canary has other users. Without a key, chance decides.
"""

import random
from hashlib import blake2b

_PLACES = 1 << 32


class Split:
    """A canary's share of the requests."""

    __slots__ = ("_below", "_salt")

    def __init__(self, digest: str, weight: int) -> None:
        """Give `weight` percent to the canary with this digest."""
        self._salt = digest.encode()[-16:]
        self._below = weight * _PLACES // 100

    def takes(self, key: bytes | None) -> bool:
        """Tell whether the canary answers the request with this key."""
        if key is None:
            return random.random() * _PLACES < self._below  # noqa: S311 — nobody gains by guessing
        place = blake2b(key, digest_size=4, salt=self._salt).digest()
        return int.from_bytes(place) < self._below
