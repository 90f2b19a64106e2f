"""What is in a store, for people: what cannot be read is listed as that, and hides nothing else."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pointsman import keys
from pointsman.errors import InvalidDocument, InvalidName, NotFound
from pointsman.manifest import Version
from pointsman.names import model_name, version_name
from pointsman.registry import Registry

_READS_IN_FLIGHT = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """A version and the channels that name it, or the trouble with reading its manifest."""

    model: str
    name: str
    version: Version | None
    active_in: list[str]
    trouble: str = ""


def catalogue(registry: Registry, model: str | None) -> list[Entry]:
    """Return all versions of `model`, or of all models; oldest first, unreadable ones last.

    Raises `NotFound` when `model` is named and has no version.
    """
    models = registry.models() if model is None else [model_name(model)]
    entries = [entry for each in models for entry in _versions(registry, each)]
    if model is not None and not entries:
        raise NotFound(
            f"there is no model named {model} in {registry.store.url}",
            "`pointsman models list` shows what is there; `pointsman upload-model` adds.",
        )
    return entries


def _versions(registry: Registry, model: str) -> list[Entry]:
    active = _active(registry, model)
    names = [keys.name_in(info.key) for info in registry.store.scan(keys.versions(model))]

    def entry(name: str) -> Entry:
        try:
            version = registry.version(model, name)
        except (InvalidDocument, NotFound) as error:
            return Entry(model, name, None, active.get(name, []), error.message)
        return Entry(model, name, version, active.get(name, []))

    with ThreadPoolExecutor(_READS_IN_FLIGHT) as pool:
        entries = list(pool.map(entry, filter(_is_version, names)))
    return sorted(entries, key=_age)


def _age(entry: Entry) -> tuple[bool, str, str]:
    created = entry.version.manifest.created if entry.version else ""
    return entry.version is None, created, entry.name


def _is_version(name: str) -> bool:
    try:
        version_name(name)
    except InvalidName:
        return False  # somebody else's object
    return True


def _active(registry: Registry, model: str) -> dict[str, list[str]]:
    """Return which channels name which version; a channel that cannot be read names none."""
    active: dict[str, list[str]] = {}
    for channel, version in _channels(registry, model):
        active.setdefault(version, []).append(channel)
    return {version: sorted(channels) for version, channels in active.items()}


def _channels(registry: Registry, model: str) -> Iterator[tuple[str, str]]:
    for info in registry.store.scan(keys.channels(model)):
        name = keys.name_in(info.key)
        try:
            channel = registry.channel(model, name)
        except (InvalidDocument, InvalidName, NotFound):
            continue
        yield name, channel.stable.version
        if channel.canary is not None:
            yield f"{name} (canary)", channel.canary.version
