"""A store that does what a test tells it: go away, come back, hold a call until it is let go."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pointsman.errors import StoreUnreachable
from pointsman.stores.base import ObjectStore
from tests.fakes.unreliable_store import WrappedStore

Result = TypeVar("Result")
_LONGEST_HOLD_SECONDS = 150.0


class Hold:
    """Calls of one kind, waiting."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()


class ObedientStore(WrappedStore):
    """Passes calls on while `reachable`, and counts them."""

    def __init__(self, inner: ObjectStore) -> None:
        super().__init__(inner)
        self.reachable = True
        self.calls: list[str] = []
        self._holds: dict[str, Hold] = {}

    @contextmanager
    def holding(self, name: str) -> Iterator[Hold]:
        """Let calls of this name wait until the block ends, or until they are released."""
        self._holds[name] = hold = Hold()
        try:
            yield hold
        finally:
            del self._holds[name]
            hold.released.set()

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        self.calls.append(name)
        if hold := self._holds.get(name):
            hold.reached.set()
            assert hold.released.wait(_LONGEST_HOLD_SECONDS), f"{name} was held for ever"
        if not self.reachable:
            raise StoreUnreachable(f"{self.url} does not answer")
        return work()
