"""Bringing one blob from a store to a file: parallel ranges, hashed on the way.

One stream from an object store is slow and several are not, so ranges are fetched side by side
and written in place; the digest follows close behind over the part that is already contiguous,
in the page cache. (Measured: about ten times one stream's speed where that is 90 MB/s.)
"""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from mmap import PROT_READ, mmap
from pathlib import Path
from threading import Event, Lock

from pointsman import arrival
from pointsman.arrival import Arrival, Place
from pointsman.checksum import Checksum, expected
from pointsman.errors import ContentMismatch, StoreUnreachable
from pointsman.manifest import File
from pointsman.stores.base import ObjectStore, OnBytes, Span

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
    small = [file for file in files if file.size <= arrival.RANGE_BYTES]
    large = [file for file in files if file.size > arrival.RANGE_BYTES]
    _side_by_side(small, work, stop, at_once=arrival.CONNECTIONS)
    _side_by_side(large, work, stop, at_once=1)


def _side_by_side(
    files: Sequence[File],
    work: Callable[[File, Stop], None],
    stop: Stop,
    at_once: int,
) -> None:
    from concurrent.futures import ThreadPoolExecutor, as_completed

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

    `on_bytes` is called from several threads, one at a time. Raises `ContentMismatch` when the
    bytes are not those of `file`; `to` then holds garbage.
    """
    if file.size > arrival.RANGE_BYTES:
        # A manifest may claim any size: believe it before there is room for it, and no sooner.
        _check_size(store, key, file)
    descriptor = os.open(to, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        _reserve(descriptor, file.size)
        place = Place(file.size, descriptor, ring=False)
        intact = _is_intact(store, key, file, place, on_bytes)
    finally:
        os.close(descriptor)
    if not intact:
        raise _damaged(store, key)


def is_intact(store: ObjectStore, key: str, file: File, on_bytes: OnBytes) -> bool:
    """Tell whether the blob at `key` has the bytes of `file`, by the same way; keep nothing of it.

    Raises `ContentMismatch` when it is shorter than `file`.
    """
    from tempfile import TemporaryFile

    with TemporaryFile() as scratch:
        place = Place(file.size, scratch.fileno(), ring=True)
        _reserve(place.descriptor, min(file.size, arrival.ROOM_BYTES))
        return _is_intact(store, key, file, place, on_bytes)


def _is_intact(store: ObjectStore, key: str, file: File, place: Place, on_bytes: OnBytes) -> bool:
    """Bring a blob to its place, and tell whether it is the file."""
    checksum, promised = expected(file)
    # Closing waits for what is under way: nothing may be written once a descriptor is free.
    with closing(_brought(store, key, file, place, on_bytes)) as pieces:
        for piece in pieces:
            _hash(piece, checksum)
    return checksum.hexdigest() == promised


def _brought(
    store: ObjectStore, key: str, file: File, place: Place, on_bytes: OnBytes
) -> Generator[Span, None, None]:
    """Yield the blob in order, in pieces, each once its bytes are in the file."""
    report = one_at_a_time(on_bytes)

    def bring(span: Span, on_arrival: OnBytes) -> None:
        def tell(count: int) -> None:
            on_arrival(count)
            report(count)

        try:
            count = store.get_range(key, span, tell)
        except StoreUnreachable:
            _check_size(store, key, file)  # a range outside of the blob is an error too
            raise
        if count != span.length:
            raise _damaged(store, key)

    if file.size > arrival.RANGE_BYTES:
        yield from Arrival(place, bring).pieces()
    elif file.size:
        whole = Span(0, file.size, place.descriptor, 0)
        bring(whole, lambda _: None)
        yield whole


def one_at_a_time(on_bytes: OnBytes) -> OnBytes:
    """Return `on_bytes` as a function that several threads may call."""
    lock = Lock()

    def report(count: int) -> None:
        with lock:
            on_bytes(count)

    return report


def _reserve(descriptor: int, size: int) -> None:
    """Take the room on the disk at once: what does not fit fails now, and writing is cheaper.

    (Measured: ranges written into a hole cost up to five times the system's time.)
    """
    if size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)  # what is mapped must be inside of the file


def _hash(span: Span, checksum: Checksum) -> None:
    """Hash a span where it lies, in the page cache.

    (Measured: a tenth less processor time than reading it back. A disk that cannot give back what
    it has just taken ends the process here, as it does whoever maps a model's external data.)
    """
    try:
        mapped = mmap(span.descriptor, span.length, prot=PROT_READ, offset=span.position)
    except OSError:
        _read_back(span, checksum)  # not every file system can be mapped
        return
    with mapped:
        checksum.update(mapped)


def _read_back(span: Span, checksum: Checksum) -> None:
    position, end = span.position, span.position + span.length
    while position < end:
        part = os.pread(span.descriptor, min(_HASHED_AT_ONCE, end - position), position)
        checksum.update(part)
        position += len(part)


def _check_size(store: ObjectStore, key: str, file: File) -> None:
    if store.head(key).size != file.size:
        raise _damaged(store, key)


def _damaged(store: ObjectStore, key: str) -> ContentMismatch:
    return ContentMismatch(
        f"{key} in {store.url} is damaged: its bytes are not those its name promises",
        "Delete that object and publish the same files again, which restores it.",
    )
