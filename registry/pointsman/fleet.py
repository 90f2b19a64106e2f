"""The fleet: which instances there are, as their heartbeats in the store tell."""

from pointsman import document, heartbeat, keys
from pointsman.errors import InvalidDocument, ObjectNotFound
from pointsman.heartbeat import Heartbeat, Instance
from pointsman.stores.base import ObjectStore


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
    found = []
    for info in listed:
        try:
            stored = store.get(info.key)
        except ObjectNotFound:
            continue  # it left between the two calls
        try:
            if stored is not None:
                found.append(heartbeat.read(stored.data, stored.info.modified, now))
        except InvalidDocument:
            continue
    return sorted(found, key=lambda instance: instance.heartbeat.instance)
