"""The fleet: which instances there are, as their heartbeats in the store tell."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from pointsman import document, heartbeat, keys
from pointsman.errors import InvalidDocument, ObjectNotFound
from pointsman.heartbeat import Heartbeat, Instance
from pointsman.stores.base import ObjectInfo, ObjectStore

LOST_AFTER = timedelta(days=7)  # more than any heartbeat is live for, which is three days
_READS_IN_FLIGHT = 16


def beat(store: ObjectStore, heartbeat_: Heartbeat) -> None:
    """Write an instance's heartbeat over its last one."""
    key = keys.heartbeat(heartbeat_.model, heartbeat_.channel, heartbeat_.instance)
    store.overwrite(key, document.encode(heartbeat_))


def leave(store: ObjectStore, model: str, channel: str, instance: str) -> None:
    """Remove the heartbeat of an instance that ends in good order."""
    store.delete(keys.heartbeat(model, channel, instance))


def instances(store: ObjectStore, model: str, channel: str) -> list[Instance]:
    """Return every instance that has a heartbeat, live or stale; unreadable ones are left out."""
    return Lookout(store, model, channel).look()


class Lookout:
    """Looks at a fleet again and again, and reads only the heartbeats that changed since."""

    def __init__(self, store: ObjectStore, model: str, channel: str) -> None:
        self.store = store
        self._prefix = keys.fleet(model, channel)
        self._known: dict[str, tuple[ObjectInfo, Heartbeat | None]] = {}

    def look(self) -> list[Instance]:
        """Return every instance, by name; raises `StoreError`."""
        listed = list(self.store.scan(self._prefix))
        if not listed:
            self._known = {}
            return []
        now = self.store.now()
        changed = [info for info in listed if not self._is_known(info)]
        with ThreadPoolExecutor(_READS_IN_FLIGHT) as pool:
            beats = list(pool.map(lambda info: _read(self.store, info), changed))
        read = dict(zip((info.key for info in changed), beats, strict=True))
        self._known = {
            info.key: (info, read[info.key] if info.key in read else self._known[info.key][1])
            for info in listed
        }
        found = [
            heartbeat.seen(known, info.modified, now)
            for info, known in self._known.values()
            if known is not None
        ]
        return sorted(found, key=lambda instance: instance.heartbeat.instance)

    def _is_known(self, info: ObjectInfo) -> bool:
        """Tell whether this state of a heartbeat was read; without an etag nothing tells."""
        known = self._known.get(info.key)
        if known is None or not info.etag:
            return False
        before = known[0]
        return (before.etag, before.size) == (info.etag, info.size)


def lost(store: ObjectStore, model: str) -> list[ObjectInfo]:
    """Return the heartbeats of instances that have been silent for a week and took no leave."""
    listed = [info for info in store.scan(keys.fleets(model)) if keys.is_document(info.key)]
    if not listed:
        return []
    now = store.now()
    return [info for info in listed if now - info.modified >= LOST_AFTER]


def _read(store: ObjectStore, info: ObjectInfo) -> Heartbeat | None:
    try:
        stored = store.get(info.key)
        found = heartbeat.read(stored.data) if stored else None
    except (ObjectNotFound, InvalidDocument):
        return None  # it left between the two calls, or was never a heartbeat
    # Whoever may write one heartbeat must not speak for another instance.
    return found if found and keys.name_in(info.key) == found.instance else None
