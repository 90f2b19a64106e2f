"""The fleet: which instances there are, as their heartbeats in the store tell."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

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
    listed = list(store.scan(keys.fleet(model, channel)))
    if not listed:
        return []
    now = store.now()
    with ThreadPoolExecutor(_READS_IN_FLIGHT) as pool:
        found = list(pool.map(lambda info: _instance(store, info, now), listed))
    return sorted(
        (instance for instance in found if instance is not None),
        key=lambda instance: instance.heartbeat.instance,
    )


def lost(store: ObjectStore, model: str) -> list[ObjectInfo]:
    """Return the heartbeats of instances that have been silent for a week and took no leave."""
    listed = [info for info in store.scan(keys.fleets(model)) if keys.is_document(info.key)]
    if not listed:
        return []
    now = store.now()
    return [info for info in listed if now - info.modified >= LOST_AFTER]


def _instance(store: ObjectStore, info: ObjectInfo, now: datetime) -> Instance | None:
    try:
        stored = store.get(info.key)
        if stored is None:
            return None
        instance = heartbeat.read(stored.data, stored.info.modified, now)
    except (ObjectNotFound, InvalidDocument):
        return None  # it left between the two calls, or was never a heartbeat
    # Whoever may write one heartbeat must not speak for another instance.
    return instance if keys.name_in(info.key) == instance.heartbeat.instance else None
