"""A store in memory, behind the same adapter as the real ones; and one that is careless."""

from typing import Any

from obstore.store import MemoryStore as Memory

from pointsman.stores.adapter import ObstoreAdapter


class MemoryStore(ObstoreAdapter):
    """Gone with the process; its writes and conditions are as strict as S3's."""

    def __init__(self) -> None:
        super().__init__("memory://")
        self._memory = Memory()

    @property
    def _client(self) -> Any:
        return self._memory


class CarelessStore(MemoryStore):
    """Takes every write, as S3's imitators do that never heard of conditions."""

    def create(self, key: str, data: bytes) -> None:
        """Write, whatever is there."""
        self.overwrite(key, data)

    def update(self, key: str, data: bytes, etag: str) -> None:
        """Write, whatever is there."""
        self.overwrite(key, data)
