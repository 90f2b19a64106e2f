"""Bringing one blob from a store to a file: parallel ranges, hashed on the way.

One stream from an object store is slow and several are not, so ranges are fetched side by side
and written in place; the digest follows behind over the part that is already contiguous, read
back from the page cache. (Measured: five to six times one stream's speed, bounded memory.)
"""

import hashlib
import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from pathlib import Path
from threading import Event

from pointsman.errors import ContentMismatch, StoreUnreachable
from pointsman.manifest import File
from pointsman.stores.base import ObjectStore, OnBytes

_RANGE_BYTES = 8 << 20
_RANGES_IN_FLIGHT = 16
_HASHED_AT_ONCE = 1 << 20


class Stopped(Exception):
    """Raised inside the work on a file when somebody pressed Ctrl-C."""


class Stop:
    """Tells work in other threads to end at its next chance."""

    def __init__(self) -> None:
        self._event = Event()

    def set(self) -> None:
        """End all work that asks."""
        self._event.set()

    def heeded(self, on_bytes: OnBytes) -> OnBytes:
        """Return `on_bytes` as a function that raises `Stopped` once work is to end."""

        def report(count: int) -> None:
            if self._event.is_set():
                raise Stopped
            on_bytes(count)

        return report


def each(files: Sequence[File], work: Callable[[File, Stop], None]) -> None:
    """Do `work` for every file: small ones side by side, large ones, parallel within, in turn.

    All of it runs in other threads, so that Ctrl-C reaches this one at once and stops the rest.
    A failure lets the small files that were begun with it finish: the next try finds them there.
    Either way all work has ended when it is raised here.
    """
    stop = Stop()
    _side_by_side([file for file in files if file.size <= _RANGE_BYTES], work, stop)
    _side_by_side([file for file in files if file.size > _RANGE_BYTES], work, stop, at_once=1)


def _side_by_side(
    files: Sequence[File],
    work: Callable[[File, Stop], None],
    stop: Stop,
    at_once: int = _RANGES_IN_FLIGHT,
) -> None:
    pool = ThreadPoolExecutor(at_once)
    try:
        for done in as_completed([pool.submit(work, file, stop) for file in files]):
            done.result()
    except Exception:
        pool.shutdown(wait=True)
        raise
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def download(store: ObjectStore, key: str, file: File, to: Path, on_bytes: OnBytes) -> None:
    """Write the blob at `key` into `to`, which must not be in use by anyone else.

    Raises `ContentMismatch` when the bytes are not those of `file`; `to` then holds garbage.
    """
    if file.size > _RANGE_BYTES:
        # A manifest may claim any size: believe it before there is room for it, and no sooner.
        _check_size(store, key, file)
    descriptor = os.open(to, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        _reserve(descriptor, file.size)
        follower = _Follower(descriptor)
        # Closing waits for the ranges in flight: none may write once the descriptor is free.
        with closing(_fetched(store, key, file, descriptor)) as ranges:
            for start, length in ranges:
                follower.take(start, length)
                on_bytes(length)
    finally:
        os.close(descriptor)
    if follower.hexdigest() != file.sha256:
        raise _damaged(store, key)


def _fetched(
    store: ObjectStore, key: str, file: File, descriptor: int
) -> Generator[tuple[int, int], None, None]:
    """Yield the ranges in order, each once its bytes are in the file."""
    ranges = [
        (start, min(_RANGE_BYTES, file.size - start)) for start in range(0, file.size, _RANGE_BYTES)
    ]

    def fetch(start: int, length: int) -> tuple[int, int]:
        position = start
        try:
            for piece in store.stream(key, start, length):
                _write(descriptor, piece, position)
                position += len(piece)
        except StoreUnreachable:
            _check_size(store, key, file)  # a range outside of the blob is an error too
            raise
        if position - start != length:
            raise _damaged(store, key)
        return start, length

    if len(ranges) <= 1:
        yield from (fetch(*each) for each in ranges)
        return
    with ThreadPoolExecutor(min(_RANGES_IN_FLIGHT, len(ranges))) as pool:
        try:
            yield from pool.map(lambda each: fetch(*each), ranges)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _reserve(descriptor: int, size: int) -> None:
    """Take the room on the disk at once: what does not fit fails now, and writing is cheaper.

    (Measured: ranges written into a hole cost up to five times the system's time.)
    """
    if size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)


def _write(descriptor: int, data: memoryview, start: int) -> None:
    """Write everything: a full disk takes a part first, and only then complains."""
    while data:
        count = os.pwrite(descriptor, data, start)
        data, start = data[count:], start + count


class _Follower:
    """Hashes what has arrived, read back from the page cache through one small buffer."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = memoryview(bytearray(_HASHED_AT_ONCE))
        self._digest = hashlib.sha256()

    def take(self, start: int, length: int) -> None:
        """Hash the next range."""
        end = start + length
        while start < end:
            part = self._buffer[: min(_HASHED_AT_ONCE, end - start)]
            count = os.preadv(self._descriptor, [part], start)
            self._digest.update(part[:count])
            start += count

    def hexdigest(self) -> str:
        """Return the digest of all that was taken."""
        return self._digest.hexdigest()


def _check_size(store: ObjectStore, key: str, file: File) -> None:
    if store.head(key).size != file.size:
        raise _damaged(store, key)


def _damaged(store: ObjectStore, key: str) -> ContentMismatch:
    return ContentMismatch(
        f"{key} in {store.url} is damaged: its bytes are not those its name promises",
        "Delete that object and publish the same files again, which restores it.",
    )
