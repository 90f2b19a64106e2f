"""A large body of known size: from the socket into one buffer, past the parser.

The parser would hand on copies of its parts, to be joined once more: for the image of a
convolutional net that takes a tenth of the time that the net does. The buffer grows with what has
come: who only announces a large body gets little memory.
"""

from collections.abc import Sequence

import numpy as np

_FIRST_BYTES = 4 << 20
"""To grow takes time, which is not worth it for less."""
_ALIGNMENT = 16
"""Where the memory of a new buffer begins, and where a tensor should."""


class LargeBody:
    """Takes exactly one body; `rest` is where its next bytes belong."""

    def __init__(self, size: int, begun: Sequence[bytes], lead: int = 0) -> None:
        """Expect `size` bytes, of which `begun` are the first.

        What comes after the first `lead` bytes is aligned, so that nobody has to copy it for that.
        """
        self._unused = -lead % _ALIGNMENT
        self._buffer = _memory(self._unused + min(size, _FIRST_BYTES))
        self._missing = size
        self._room = self._buffer[self._unused :]
        for part in begun:
            self._room[: len(part)] = part
            self.took(len(part))

    @property
    def rest(self) -> memoryview:
        """Return room for at least one byte more, and for none of the next request."""
        if not len(self._room):
            self._grow()
        return self._room

    def took(self, nbytes: int) -> bool:
        """Count bytes that came; tell whether the body is whole."""
        self._room = self._room[nbytes:]
        self._missing -= nbytes
        return not self._missing

    def whole(self) -> memoryview:
        """Return the body, once it is whole."""
        return self._buffer[self._unused :]

    def _grow(self) -> None:
        """Make room for as much again as has come, or for the rest."""
        before, came = self._buffer, len(self._buffer)
        self._buffer = _memory(came + min(self._missing, came))
        self._buffer[:came] = before
        self._room = self._buffer[came:]


def _memory(size: int) -> memoryview:
    """Return memory that nobody has filled: what belongs there comes."""
    return np.empty(size, np.uint8).data
