"""Bringing one blob from a store to a file: parallel ranges, hashed on the way.

One stream from an object store is slow and several are not, so ranges are fetched side by side
and written in place; the digest follows behind over the part that is already contiguous, in the
page cache. (Measured: about ten times one stream's speed where that is 90 MB/s.)
"""

import hashlib
import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing, suppress
from mmap import PROT_READ, mmap
from pathlib import Path
from threading import Event, Lock, get_native_id

from pointsman.errors import ContentMismatch, StoreUnreachable
from pointsman.manifest import File
from pointsman.stores.base import ObjectStore, OnBytes, Span

_RANGE_BYTES = 8 << 20
_LONG_RANGE_BYTES = 2 * _RANGE_BYTES
_RANGES_IN_FLIGHT = 16
_RANGES_AHEAD = 24
_GIVING_WAY = 5  # of 19
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

    `on_bytes` is called from several threads, one at a time. Raises `ContentMismatch` when the
    bytes are not those of `file`; `to` then holds garbage.
    """
    if file.size > _RANGE_BYTES:
        # A manifest may claim any size: believe it before there is room for it, and no sooner.
        _check_size(store, key, file)
    descriptor = os.open(to, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        _reserve(descriptor, file.size)
        ranges = _ranges(file.size, _LONG_RANGE_BYTES)
        spans = [Span(start, length, descriptor, start) for start, length in ranges]
        sha256 = _hashed(store, key, file, spans, on_bytes)
    finally:
        os.close(descriptor)
    if sha256 != file.sha256:
        raise _damaged(store, key)


def sha256(store: ObjectStore, key: str, file: File, on_bytes: OnBytes) -> str:
    """Return the digest of the blob at `key`, by the same way, and keep nothing of it.

    Raises `ContentMismatch` when it is shorter than `file`.
    """
    from tempfile import TemporaryFile

    with TemporaryFile() as scratch:
        spans = [
            Span(start, length, scratch.fileno(), _RANGE_BYTES * (number % _RANGES_AHEAD))
            for number, (start, length) in enumerate(_ranges(file.size, _RANGE_BYTES))
        ]
        return _hashed(store, key, file, spans, on_bytes)


def _ranges(size: int, longest: int) -> list[tuple[int, int]]:
    """Cut a file into ranges: long ones, which cost a server less, and shorter ones at the end.

    Without those the last of many connections would leave much to be hashed when it is done. All
    begin where a part of the upload began: a server may have to read a part as a whole.
    """
    ranges, start = [], 0
    while start < size:
        many = size - start >= longest * _RANGES_IN_FLIGHT
        length = min(longest if many else _RANGE_BYTES, size - start)
        ranges.append((start, length))
        start += length
    return ranges


def _hashed(
    store: ObjectStore,
    key: str,
    file: File,
    spans: Sequence[Span],
    on_bytes: OnBytes,
) -> str:
    """Bring all spans, and return their digest."""
    digest = hashlib.sha256()
    # Closing waits for what is under way: nothing may be written once a descriptor is free.
    with closing(_brought(store, key, file, spans, on_bytes)) as ready:
        for span in ready:
            _hash(span, digest)
    return digest.hexdigest()


def _brought(
    store: ObjectStore,
    key: str,
    file: File,
    spans: Sequence[Span],
    on_bytes: OnBytes,
) -> Generator[Span, None, None]:
    """Yield the spans in order, each once its bytes are in its file.

    At most `_RANGES_AHEAD` are begun before the first of them has been dealt with.
    """
    stop = Stop()
    report = stop.heeded(one_at_a_time(on_bytes))

    def bring(span: Span) -> Span:
        try:
            count = store.get_range(key, span, report)
        except StoreUnreachable:
            _check_size(store, key, file)  # a range outside of the blob is an error too
            raise
        if count != span.length:
            raise _damaged(store, key)
        return span

    if len(spans) <= 1:
        yield from map(bring, spans)
        return
    pool = ThreadPoolExecutor(min(_RANGES_IN_FLIGHT, len(spans)), initializer=_give_way)
    coming: deque[Future[Span]] = deque()
    try:
        for span in spans:
            if len(coming) == _RANGES_AHEAD:
                yield coming.popleft().result()
            coming.append(pool.submit(bring, span))
        while coming:
            yield coming.popleft().result()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


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


def _hash(span: Span, digest: "hashlib._Hash") -> None:
    """Hash a span where it lies, in the page cache.

    (Measured: a tenth less processor time than reading it back. A disk that cannot give back what
    it has just taken ends the process here, as it does whoever maps a model's external data.)
    """
    try:
        mapped = mmap(span.descriptor, span.length, prot=PROT_READ, offset=span.position)
    except OSError:
        _read_back(span, digest)  # not every file system can be mapped
        return
    with mapped:
        digest.update(mapped)


def _read_back(span: Span, digest: "hashlib._Hash") -> None:
    position, end = span.position, span.position + span.length
    while position < end:
        part = os.pread(span.descriptor, min(_HASHED_AT_ONCE, end - position), position)
        digest.update(part)
        position += len(part)


def _check_size(store: ObjectStore, key: str, file: File) -> None:
    if store.head(key).size != file.size:
        raise _damaged(store, key)


def _damaged(store: ObjectStore, key: str) -> ContentMismatch:
    return ContentMismatch(
        f"{key} in {store.url} is damaged: its bytes are not those its name promises",
        "Delete that object and publish the same files again, which restores it.",
    )
