"""Every backend that obstore reaches, in the words of `pointsman.stores.base`.

A backend adds what it does differently: `local` its own compare-and-swap, `s3` its credentials
and clock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
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

from pointsman.document import MAX_DOCUMENT_BYTES
from pointsman.errors import (
    InvalidDocument,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreDenied,
    StoreError,
    StoreUnreachable,
)
from pointsman.stores.base import ObjectInfo, OnBytes, StoredObject

_PART_BYTES = 8 << 20
_PARTS_IN_FLIGHT = 4


class ObstoreAdapter:
    """An `ObjectStore` over the obstore client that a backend provides."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def _client(self) -> Any:
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Where this is, fit to be shown: it holds no secret."""
        return self._url

    def get(self, key: str, etag: str | None = None) -> StoredObject | None:
        """Read a document of at most 4 MiB; None when it still has the given `etag`."""
        with self._translated("read", key):
            try:
                result = obstore.get(
                    self._client, key, options={"if_none_match": etag} if etag else None
                )
            except NotModifiedError:
                return None
            info = _info(result.meta)
            if info.size > MAX_DOCUMENT_BYTES:
                raise InvalidDocument(f"{key} is {info.size} bytes long: not a document")
            return StoredObject(bytes(result.bytes()), info)

    def get_range(self, key: str, start: int, length: int) -> memoryview:
        """Read `length` bytes of a blob from `start`."""
        with self._translated("read", key):
            return memoryview(obstore.get_range(self._client, key, start=start, length=length))

    def head(self, key: str) -> ObjectInfo:
        """Describe an object without reading it."""
        with self._translated("read", key):
            return _info(obstore.head(self._client, key))

    def scan(self, prefix: str) -> Iterator[ObjectInfo]:
        """List every object under `prefix`, which ends with a slash."""
        with self._translated("list", prefix):
            for page in obstore.list(self._client, prefix):
                yield from map(_info, page)

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
        with self._translated("write", key):
            obstore.put(self._client, key, data, mode={"e_tag": etag})

    def overwrite(self, key: str, data: bytes) -> None:
        """Write a document, whatever is there."""
        with self._translated("write", key):
            obstore.put(self._client, key, data)

    def upload(self, key: str, path: Path, on_bytes: OnBytes) -> None:
        """Write a blob from a file in bounded memory; it appears only when complete.

        Overwriting is harmless: a blob's key is its digest, so a second writer writes the same.
        """
        with self._translated("write", key):
            if path.stat().st_size <= _PART_BYTES:
                data = path.read_bytes()
                obstore.put(self._client, key, data)
                on_bytes(len(data))
            else:
                parts = _parts(path, on_bytes)
                obstore.put(
                    self._client,
                    key,
                    parts,
                    chunk_size=_PART_BYTES,
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

    @contextmanager
    def _translated(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise ObjectNotFound(f"{self._url} has no {key}") from error
        except AlreadyExistsError as error:
            raise ObjectExists(f"{self._url} already has {key}") from error
        except PreconditionError as error:
            raise PreconditionFailed(f"{key} in {self._url} changed since it was read") from error
        except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
            raise StoreDenied(
                f"{self._url} does not let these credentials {verb} {key}",
                f"Check the key and its policy: it must be allowed to {verb} there.",
            ) from error
        except (BaseError, OSError) as error:
            raise self._explained(verb, key, error) from error

    def _explained(self, verb: str, key: str, error: Exception) -> StoreError:
        return StoreUnreachable(f"cannot {verb} {key} in {self._url}: {_first_line(error)}")


def _info(meta: Any) -> ObjectInfo:
    return ObjectInfo(meta["path"], meta["size"], meta["e_tag"] or "", meta["last_modified"])


def _parts(path: Path, on_bytes: OnBytes) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            yield part
            on_bytes(len(part))


def _first_line(error: Exception) -> str:
    """Cut the library's text to its first line: the rest repeats requests and answers."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
