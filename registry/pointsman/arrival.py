"""A blob on its way into a file: ranges arrive side by side, and are handed on in order.

What is in the file without a gap can be had at once, from inside of a range that is still
arriving, so that whoever hashes it does so while the rest comes, and finds it in the processor's
cache. Readers ask for the next range only while there is room for it.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import partial
from threading import Condition, Lock, Thread, get_native_id
from time import monotonic

import msgspec

from pointsman.ramp import SILENCE_SECONDS, Ramp
from pointsman.stores.base import OnBytes, Span

RANGE_BYTES = 8 << 20
"""What ranges are multiples of, as parts of uploads are: a server may read a part as a whole."""

ROOM_BYTES = 24 * RANGE_BYTES
"""How much is on its way at most, from what is asked for to what has been taken."""

CONNECTIONS = 16
_PIECE_BYTES = 1 << 20
_MOST_AT_ONCE = 8 << 20
_GIVING_WAY = 5  # of 19


class Place(msgspec.Struct, frozen=True):
    """Where a blob of `size` bytes goes: an open file, or as a ring, its first `ROOM_BYTES`."""

    size: int
    descriptor: int
    ring: bool


class _Range(msgspec.Struct):
    """A range that was asked for, and how many bytes of it are in the file."""

    span: Span
    arrived: int = 0


class Over(Exception):
    """Raised inside the reading of a range that nobody waits for any more."""


class Arrival:
    """Brings a blob by `bring`, which brings a whole span or raises, and tells what has come."""

    def __init__(self, place: Place, bring: Callable[[Span, OnBytes], None]) -> None:
        self._place = place
        self._bring = bring
        self._ramp = Ramp(CONNECTIONS, RANGE_BYTES, ROOM_BYTES)
        self._lock = Lock()
        self._news = Condition(self._lock)  # for whoever takes pieces
        self._room = Condition(self._lock)  # for readers
        self._ranges: deque[_Range] = deque()
        self._asked = 0
        self._taken = 0
        self._readers: list[Thread] = []
        self._reading = 0
        self._failure: BaseException | None = None
        self._over = False

    def pieces(self) -> Generator[Span, None, None]:
        """Yield all of the blob in order, in pieces that are in the file.

        A piece may be overwritten once the next is asked for. Raises whatever `bring` did; when
        closed or done, nothing is being read any more.
        """
        try:
            while self._taken < self._place.size:
                piece = self._next_piece()
                yield piece
                self._take(piece.length)
        finally:
            self._end()

    def _next_piece(self) -> Span:
        while True:
            with self._lock:
                if self._failure is not None:
                    raise self._failure
                if self._has_enough_readers():
                    if piece := self._ready():
                        return piece
                    if not self._news.wait(SILENCE_SECONDS):
                        self._ramp.silent()
                    continue
                self._reading += 1
            reader = Thread(target=self._read, daemon=True)
            reader.start()
            self._readers.append(reader)

    def _has_enough_readers(self) -> bool:
        all_asked = self._asked == self._place.size
        return all_asked or self._reading >= self._ramp.connections

    def _ready(self) -> Span | None:
        """Return what can be taken: at least a piece, unless a range ends with less."""
        if not self._ranges:
            return None
        first = self._ranges[0]
        done = self._taken - first.span.start
        left = first.span.after(done)
        count = min(first.arrived - done, left.length, _MOST_AT_ONCE)
        if count < left.length:
            count -= count % _PIECE_BYTES
        return Span(left.start, count, left.descriptor, left.position) if count else None

    def _take(self, count: int) -> None:
        with self._lock:
            self._taken += count
            first = self._ranges[0].span
            if self._taken == first.start + first.length:
                self._ranges.popleft()
            self._room.notify()

    def _read(self) -> None:
        _give_way()
        try:
            while (each := self._ask()) is not None:
                self._bring(each.span, partial(self._arrived, each))
                self._arrived(each, each.span.length - each.arrived)
        except BaseException as error:  # noqa: BLE001 — raised where the pieces are taken
            with self._lock:
                self._failure = self._failure or error
                self._news.notify()

    def _ask(self) -> _Range | None:
        """Return the next range to bring, once there is room for it; None when there is none."""
        with self._lock:
            while self._is_wanted():
                span = self._next_span()
                if self._asked + span.length - self._taken <= ROOM_BYTES:
                    self._asked += span.length
                    self._ranges.append(_Range(span))
                    self._room.notify()  # there may be room for another
                    return self._ranges[-1]
                self._ramp.held()
                self._room.wait()
            self._reading -= 1
            self._room.notify()  # whoever was woken for nothing wakes the next
        return None

    def _is_wanted(self) -> bool:
        """Tell whether a reader should go on: there is something to ask for, and not too many."""
        left = self._place.size - self._asked
        return not self._over and left > 0 and self._reading <= self._ramp.connections

    def _next_span(self) -> Span:
        length = self._ramp.length(self._place.size - self._asked)
        if not self._place.ring:
            return Span(self._asked, length, self._place.descriptor, self._asked)
        position = self._asked % ROOM_BYTES
        length = min(length, ROOM_BYTES - position)
        return Span(self._asked, length, self._place.descriptor, position)

    def _arrived(self, each: _Range, count: int) -> None:
        with self._lock:
            if self._over:
                raise Over
            each.arrived += count
            changed = self._ramp.arrived(count, monotonic())
            first = bool(self._ranges) and each is self._ranges[0]
            if changed or (first and self._ready()):
                self._news.notify()

    def _end(self) -> None:
        """Let everybody end at the next chance, and wait for that."""
        with self._lock:
            self._over = True
            self._room.notify_all()
        for reader in self._readers:
            reader.join()


def _give_way() -> None:
    """Let the digest, and whatever else this process does, go before the reading of ranges.

    On Linux each thread has its own priority. (Measured where processors are short: an eighth
    faster, because the many do not keep the one waiting that has the most to compute.)
    """
    if sys.platform == "linux":
        with suppress(OSError):
            thread = get_native_id()
            lower = max(_GIVING_WAY, os.getpriority(os.PRIO_PROCESS, thread))
            os.setpriority(os.PRIO_PROCESS, thread, lower)
