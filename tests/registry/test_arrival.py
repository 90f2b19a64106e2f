"""`arrival`: ranges side by side, handed on in order, from inside of what is still arriving."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pointsman import arrival
from pointsman.arrival import Arrival, Place
from pointsman.stores.base import OnBytes, Span

MIB = 1 << 20
SIZE = 40 * MIB + 7
PATIENCE = 60.0

Bring = Callable[[Span, OnBytes], None]


@pytest.fixture(scope="module")
def data() -> bytes:
    return os.urandom(SIZE)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges of 2 MiB, of which four may be on their way."""
    monkeypatch.setattr(arrival, "RANGE_BYTES", 2 * MIB)
    monkeypatch.setattr(arrival, "ROOM_BYTES", 8 * MIB)


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "x", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


def writing(data: bytes, before: Callable[[Span, int], None] = lambda _, __: None) -> Bring:
    """What brings a span in pieces of half a MiB; `before` each, it tells how many bytes came."""

    def bring(span: Span, on_bytes: OnBytes) -> None:
        done = 0
        while done < span.length:
            before(span, done)
            count = min(MIB // 2, span.length - done)
            piece = data[span.start + done : span.start + done + count]
            os.pwrite(span.descriptor, piece, span.position + done)
            done += count
            on_bytes(count)

    return bring


def digest(pieces: Iterator[Span]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(os.pread(piece.descriptor, piece.length, piece.position))
    return found.hexdigest()


def readers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if "_read" in each.name]


@pytest.mark.parametrize("ring", [False, True], ids=["whole file", "ring"])
def test_everything_comes_in_order(data: bytes, descriptor: int, *, ring: bool) -> None:
    pieces = Arrival(Place(SIZE, descriptor, ring), writing(data)).pieces()

    assert digest(pieces) == hashlib.sha256(data).hexdigest()

    assert os.fstat(descriptor).st_size == (8 * MIB if ring else SIZE)
    assert not readers()


def test_what_has_come_of_a_range_is_handed_on_before_the_rest_of_it_comes(
    data: bytes, descriptor: int
) -> None:
    taken = threading.Event()

    def wait(span: Span, done: int) -> None:
        if (span.start, done) == (0, MIB):
            assert taken.wait(PATIENCE)

    with closing(Arrival(Place(SIZE, descriptor, ring=False), writing(data, wait)).pieces()) as got:
        first = next(got)
        assert (first.start, first.length) == (0, MIB)
        taken.set()
        assert sum(piece.length for piece in got) == SIZE - MIB


@pytest.mark.parametrize("ring", [False, True], ids=["whole file", "ring"])
def test_a_range_that_stalls_lets_others_fill_the_room_and_nothing_beyond_it(
    data: bytes, descriptor: int, *, ring: bool
) -> None:
    full, beyond = threading.Event(), []

    def stall(span: Span, done: int) -> None:
        end = span.start + span.length
        if not full.is_set() and end > arrival.ROOM_BYTES:
            beyond.append(span)
        if end == arrival.ROOM_BYTES and done + MIB // 2 >= span.length:
            full.set()
        if (span.start, done) == (0, 0):
            assert full.wait(PATIENCE)

    pieces = Arrival(Place(SIZE, descriptor, ring), writing(data, stall)).pieces()

    assert digest(pieces) == hashlib.sha256(data).hexdigest()
    assert beyond == []


def test_a_range_that_fails_ends_all_others(data: bytes, descriptor: int) -> None:
    def fail(span: Span, _: int) -> None:
        if span.start >= 4 * MIB:
            raise OSError("the disk is on fire")

    with pytest.raises(OSError, match="on fire"):
        digest(Arrival(Place(SIZE, descriptor, ring=False), writing(data, fail)).pieces())

    assert not readers()


def test_whoever_takes_no_more_leaves_nobody_reading(data: bytes, descriptor: int) -> None:
    pieces = Arrival(Place(SIZE, descriptor, ring=False), writing(data)).pieces()
    next(pieces)

    pieces.close()

    assert not readers()


def test_far_away_all_connections_are_used(data: bytes, descriptor: int) -> None:
    together = threading.Barrier(4)

    def wait(span: Span, done: int) -> None:
        if done == 0 and span.start < arrival.ROOM_BYTES:
            together.wait(PATIENCE)

    pieces = Arrival(Place(SIZE, descriptor, ring=False), writing(data, wait)).pieces()

    assert digest(pieces) == hashlib.sha256(data).hexdigest()
