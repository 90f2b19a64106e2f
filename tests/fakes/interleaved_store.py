"""Stores that let something happen between two calls, or fail at one, or tell another time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

from pointsman.errors import StoreUnreachable
from pointsman.stores.base import ObjectStore
from tests.fakes.unreliable_store import WrappedStore

Result = TypeVar("Result")


class InterleavedStore(WrappedStore):
    """Calls `meanwhile` right before its n-th call takes place; `calls` counts them."""

    def __init__(self, inner: ObjectStore, before: int, meanwhile: Callable[[], object]) -> None:
        super().__init__(inner)
        self._before = before
        self._meanwhile = meanwhile
        self.calls = 0

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        with self._lock:
            self.calls += 1
            now = self.calls == self._before
        if now:
            self._meanwhile()
        return work()


class FailingStore(WrappedStore):
    """Fails at its n-th call: before it takes place, or, with `lost`, after it did."""

    def __init__(self, inner: ObjectStore, at: int, *, lost: bool) -> None:
        super().__init__(inner)
        self._count = count(1)
        self._at = at
        self._lost = lost
        self.failed = ""

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        with self._lock:
            fails = next(self._count) == self._at
        if fails:
            self.failed = name
            if self._lost:
                work()
            raise StoreUnreachable(f"the connection broke at {name}")
        return work()


class LaterStore(WrappedStore):
    """The same store some time later, by its own clock."""

    def __init__(self, inner: ObjectStore, later: timedelta) -> None:
        super().__init__(inner)
        self._later = later

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        return work()

    def now(self) -> datetime:
        """Tell the time to come."""
        return self._inner.now() + self._later
