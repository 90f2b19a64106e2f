"""How many connections a blob is worth, and how long their ranges should be.

Where one stream is slow, many are fast together; where one is fast, many only cost: the server
opens files and makes answers for each, and all wait for the same processors. (Measured by
loopback, client and server together: two with long ranges cost a twentieth less processor time
than sixteen with short ones.) So a transfer begins with few, looks at what arrives, and tries
more while that pays. A look takes 20 ms at first, which tells what is slow, and later ever
longer, which tells what is faster.
"""

from typing import Final

AT_FIRST: Final = 2
SILENCE_SECONDS: Final = 0.05
"""Bytes of a server that needs longer to begin have come from afar, where streams are slow."""

_LOOK_SECONDS = 0.02
_LOOK_LONGER = 1.5
_SURE_SECONDS = 0.06  # (measured: looks of 30 ms at the same thing differ by a factor of two)
_SLOW = 120e6  # bytes per second and connection; S3 gives about 90e6
_FAST = 400e6  # two like that are as fast as a digest is computed from what is not in a cache
_PAID = 1.25
_RANGE_SECONDS = 0.2


class Ramp:
    """A rule with a memory: it is told what arrives and when, and asks nobody else.

    `most` is the number of connections at most, `unit` bytes what every range is a multiple of,
    `room` how many bytes may be on their way at once. Times are in seconds, of any clock.
    """

    def __init__(self, most: int, unit: int, room: int) -> None:
        self.connections = min(AT_FIRST, most)
        self._most = most
        self._unit = unit
        self._room = room
        self._look = _LOOK_SECONDS
        self._since: float | None = None
        self._bytes = 0
        self._held = False
        self._speed = 0.0
        self._before: tuple[int, float] | None = None
        self._settled = False

    def silent(self) -> None:
        """Nothing has come for `SILENCE_SECONDS`, since the start or the last byte."""
        if self._since is None:
            self.connections = self._most

    def held(self) -> None:
        """There is no room for more: what arrives now says nothing about the connections."""
        self._held = True

    def arrived(self, count: int, now: float) -> bool:
        """`count` bytes have come: tell whether more connections are wanted now."""
        if self._since is None:
            self._since = now
            return False
        self._bytes += count
        seconds = now - self._since
        if seconds < self._look:
            return False
        self._speed = self._bytes / seconds
        was = self.connections
        if not self._held:
            self.connections = self._worth()
        self._since, self._bytes, self._held = now, 0, False
        if self.connections <= was:
            self._look *= _LOOK_LONGER
        return self.connections > was

    def length(self, left: int) -> int:
        """Return how long the next range should be when `left` bytes are not asked for yet.

        As long as a connection brings in a fifth of a second; all together leave half of the room
        to whoever comes next, and half of what is left, so that they end at the same time.
        """
        each = self._speed / self.connections * _RANGE_SECONDS
        shared = min(self._room, left) / (2 * self.connections)
        return min(left, max(1, int(min(each, shared)) // self._unit) * self._unit)

    def _worth(self) -> int:
        """Return the number of connections after a look: as it was, twice that, or as before."""
        number, each = self.connections, self._speed / self.connections
        before, self._before = self._before, None
        if before and self._speed < _PAID * before[1]:
            self._settled = True
            return before[0]
        if each < _SLOW:
            return min(2 * number, self._most)
        if self._settled or each > _FAST or self._look < _SURE_SECONDS:
            return number
        self._before = number, self._speed
        return min(2 * number, self._most)
