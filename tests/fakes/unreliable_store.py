"""Stores that fail at a chosen moment: by losing an answer, or by taking the process with them.

Each wraps a real store and implements the same protocol, so that what is tested around it is the
code that runs in production.
"""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from threading import Lock
from typing import TypeVar

from pointsman.errors import StoreUnreachable
from pointsman.hashing import Fingerprint
from pointsman.stores.base import ObjectInfo, ObjectStore, OnBytes, Span, StoredObject

Result = TypeVar("Result")


class WrappedStore:
    """Passes every call on through `_call`, which a subclass overrides."""

    def __init__(self, inner: ObjectStore) -> None:
        self._inner = inner
        self._lock = Lock()

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Where this is."""
        return self._inner.url

    def get(self, key: str, etag: str | None = None) -> StoredObject | None:
        """Read a document."""
        return self._call("get", lambda: self._inner.get(key, etag))

    def get_range(self, key: str, span: Span, on_bytes: OnBytes) -> int:
        """Bring a part of a blob."""
        return self._call("get_range", lambda: self._inner.get_range(key, span, on_bytes))

    def head(self, key: str) -> ObjectInfo:
        """Describe an object."""
        return self._call("head", lambda: self._inner.head(key))

    def scan(self, prefix: str) -> Iterator[ObjectInfo]:
        """List objects."""
        return self._call("scan", lambda: self._inner.scan(prefix))

    def folders(self, prefix: str) -> list[str]:
        """List folders."""
        return self._call("folders", lambda: self._inner.folders(prefix))

    def create(self, key: str, data: bytes) -> None:
        """Write a new document."""
        self._call("create", lambda: self._inner.create(key, data))

    def update(self, key: str, data: bytes, etag: str) -> None:
        """Replace a document."""
        self._call("update", lambda: self._inner.update(key, data, etag))

    def overwrite(self, key: str, data: bytes) -> None:
        """Write a document."""
        self._call("overwrite", lambda: self._inner.overwrite(key, data))

    def upload(
        self,
        key: str,
        path: Path,
        sha256: str,
        on_bytes: OnBytes,
        fingerprint: Fingerprint | None = None,
    ) -> None:
        """Write a blob."""
        self._call("upload", lambda: self._inner.upload(key, path, sha256, on_bytes, fingerprint))

    def delete(self, key: str) -> None:
        """Remove an object."""
        self._call("delete", lambda: self._inner.delete(key))

    def now(self) -> datetime:
        """Tell the time."""
        return self._call("now", self._inner.now)


class FlakyStore(WrappedStore):
    """Does what it is asked, and loses the answer of the given calls ("update", …), once each."""

    def __init__(self, inner: ObjectStore, *losing: str) -> None:
        super().__init__(inner)
        self._losing = list(losing)
        self.calls: list[str] = []

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        with self._lock:
            self.calls.append(name)
            lost = name in self._losing
            if lost:
                self._losing.remove(name)
        result = work()
        if lost:
            raise StoreUnreachable(f"the connection broke after {name}")
        return result


class OfflineStore(WrappedStore):
    """Answers nothing."""

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        raise StoreUnreachable(f"{self.url} does not answer")


class LethalStore(WrappedStore):
    """Kills its own process with SIGKILL right after the n-th call took place."""

    def __init__(self, inner: ObjectStore, calls: int) -> None:
        super().__init__(inner)
        self._count = count(1)
        self._last = calls

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        try:
            return work()
        finally:
            with self._lock:
                if next(self._count) == self._last:
                    os.kill(os.getpid(), signal.SIGKILL)
