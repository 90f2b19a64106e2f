"""Every backend that obstore reaches, in the words of `pointsman.stores.base`.

A backend adds what it does differently: `local` its own durable writes, `s3` its credentials,
clock and reasons, `gcs` its generations.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotModifiedError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from pointsman.digest import verified_parts
from pointsman.document import MAX_DOCUMENT_BYTES
from pointsman.errors import (
    InvalidDocument,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreDenied,
    StoreError,
    StoreMisconfigured,
    StoreUnreachable,
)
from pointsman.hashing import Fingerprint
from pointsman.stores import causes
from pointsman.stores.base import ObjectInfo, OnBytes, Span, StoredObject
from pointsman.stores.pipe import write

PART_BYTES = 8 << 20
_PARTS_IN_FLIGHT = 4
_PIECE_BYTES = 256 << 10
_MAX_PARTS = 9_000
_LONGEST_REASON = 300
_TRY_AGAIN = "Try again; nothing is lost."
# obstore's words for an answer that is an error: the store is there, and in trouble.
_ANSWERED = "status code"


class ObstoreAdapter:
    """An `ObjectStore` over the obstore clients that a backend provides."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def _client(self) -> Any:
        """The client for documents, which are small."""
        raise NotImplementedError

    @property
    def _blobs(self) -> Any:
        """The client for blobs, which take their time."""
        return self._client

    @property
    def url(self) -> str:
        """Where this is, fit to be shown: it holds no secret."""
        return self._url

    def get(self, key: str, etag: str | None = None) -> StoredObject | None:
        """Read a document of at most 4 MiB; None when it still has the given `etag`."""
        with self._translated("read", key):
            try:
                result = obstore.get(
                    self._client, key, options=self._unless(etag) if etag else None
                )
            except NotModifiedError:
                return None
            info = self._info(result.meta)
            if info.size > MAX_DOCUMENT_BYTES:
                raise InvalidDocument(f"{key} is {info.size} bytes long: not a document")
            return StoredObject(bytes(result.bytes()), info)

    def get_range(self, key: str, span: Span, on_bytes: OnBytes) -> int:
        """Bring a span of a blob into a file, and return how many bytes there were.

        In small pieces: small pieces of memory are used again, large ones are new to the system
        every time. (Measured: a third of the system's time, and half the memory.)
        """
        done = 0
        options: Any = {"range": (span.start, span.start + span.length)}
        with self._translated("read", key):
            result = obstore.get(self._blobs, key, options=options)
            pieces = iter(result.stream(min_chunk_size=_PIECE_BYTES))
        while (piece := self._next(key, pieces)) is not None:
            done += write(span.descriptor, memoryview(piece), span.position + done)
            on_bytes(len(piece))
        return done

    def head(self, key: str) -> ObjectInfo:
        """Describe an object without reading it."""
        with self._translated("read", key):
            return self._info(obstore.head(self._client, key))

    def scan(self, prefix: str) -> Iterator[ObjectInfo]:
        """List every object under `prefix`, which ends with a slash."""
        with self._translated("list", prefix):
            for page in obstore.list(self._client, prefix):
                yield from map(self._info, page)

    def folders(self, prefix: str) -> list[str]:
        """List the names directly under `prefix` that lead further."""
        with self._translated("list", prefix):
            found = obstore.list_with_delimiter(self._client, prefix)["common_prefixes"]
            return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in found)

    def create(self, key: str, data: bytes) -> None:
        """Write a document that must not be there yet; raises `ObjectExists` if it is."""
        with self._translated("write", key):
            obstore.put(self._client, key, data, mode="create")

    def update(self, key: str, data: bytes, etag: str) -> None:
        """Replace a document that still has `etag`; raises `PreconditionFailed` if not."""
        if not etag:
            # An empty condition is none: the write would go through whatever is there.
            raise StoreMisconfigured(f"{self._url} gave {key} no ETag to compare with")
        with self._translated("write", key):
            obstore.put(self._client, key, data, mode=self._only_if(etag))

    def overwrite(self, key: str, data: bytes) -> None:
        """Write a document, whatever is there."""
        with self._translated("write", key):
            obstore.put(self._client, key, data)

    def upload(
        self,
        key: str,
        path: Path,
        sha256: str,
        on_bytes: OnBytes,
        fingerprint: Fingerprint | None = None,
    ) -> None:
        """Write a blob from a file in bounded memory; it appears only when complete.

        Raises `InvalidModel` when the file has other bytes than `sha256` promises. Overwriting
        is harmless: a blob's key is its digest, so a second writer writes the same.
        """
        size = _part_bytes(path)
        parts = verified_parts(path, sha256, size, on_bytes, fingerprint)
        with self._translated("write", key):
            first = next(parts, b"")
            whole = chain([first], parts)
            if len(first) < size:
                obstore.put(self._blobs, key, b"".join(whole))
                return
            # An exception from `parts` aborts the upload before it is complete.
            obstore.put(
                self._blobs,
                key,
                whole,
                chunk_size=size,
                max_concurrency=_PARTS_IN_FLIGHT,
            )

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is not an error."""
        try:
            with self._translated("delete", key):
                obstore.delete(self._client, key)
        except ObjectNotFound:
            return

    def now(self) -> datetime:
        """Return the present time by the store's own clock."""
        return datetime.now(UTC)

    def _next(self, key: str, pieces: Iterator[Any]) -> Any:
        """Return the next piece, or None; what writing and `on_bytes` raise is not the store's."""
        with self._translated("read", key):
            return next(pieces, None)

    def _info(self, meta: Any) -> ObjectInfo:
        return ObjectInfo(meta["path"], meta["size"], self._token(meta), meta["last_modified"])

    def _token(self, meta: Any) -> str:
        """Return what identifies this state of the object; only this store can read it."""
        return meta["e_tag"] or ""

    def _unless(self, token: str) -> Any:
        """Return the options of a read that answers nothing while the token is the present one."""
        return {"if_none_match": token}

    def _only_if(self, token: str) -> Any:
        """Return the mode of a write that takes place only while the token is the present one."""
        return {"e_tag": token}

    @contextmanager
    def _translated(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            raise self._translate(verb, key, error) from error

    def _translate(self, verb: str, key: str, error: Exception) -> StoreError:
        """Say in our words what a client or the system said; backends know more reasons."""
        match error:
            case FileNotFoundError():
                return ObjectNotFound(f"{self._url} has no {key}")
            case AlreadyExistsError() | FileExistsError():
                return ObjectExists(f"{self._url} already has {key}")
            case PreconditionError():
                return PreconditionFailed(f"{key} in {self._url} changed since it was read")
            case PermissionDeniedError() | UnauthenticatedError() | PermissionError():
                return self._denied(verb, key)
        reason = causes.of_silence(str(error)) or _said(error)
        remedy = _TRY_AGAIN if _ANSWERED in reason else self._remedy
        return StoreUnreachable(f"cannot {verb} {key} in {self._url}: {reason}", remedy)

    @property
    def _remedy(self) -> str:
        """What to do when there was no answer."""
        return _TRY_AGAIN

    def _denied(self, verb: str, key: str) -> StoreDenied:
        return StoreDenied(
            f"{self._url} does not let these credentials {verb} {key}",
            f"Check the key and its policy: it must be allowed to {verb} there.",
        )


def _part_bytes(path: Path) -> int:
    """Return how long parts must be for a file to have at most 10 000 of them, S3's limit."""
    try:
        size = path.stat().st_size
    except OSError:
        return PART_BYTES  # whoever reads the parts says what is wrong
    return max(PART_BYTES, -(-size // _MAX_PARTS))


def _said(error: Exception) -> str:
    """Cut the library's text to what it says beyond the request and the answer.

    The request stands before the last dash, the answer after the "<" and from the second line on.
    """
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return first.rsplit(" - ", 1)[-1].split(": <", 1)[0][:_LONGEST_REASON]
