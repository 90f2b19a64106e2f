"""Which versions may go: the rules of pruning, without any I/O.

Kept are the newest `keep`, everything a channel or its history names, and whatever was published
less than a day ago by the store's clock. A channel is read as generously as can be: any member
called `version` or `digest`, at any depth, names a version, so that what a newer pointsman adds
to channels protects versions too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pointsman.manifest import Version

YOUNG = timedelta(days=1)
_NAMING = frozenset({"version", "digest"})


@dataclass(frozen=True, slots=True)
class Dated:
    """A version, and when the store says that its manifest was written."""

    version: Version
    modified: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """The versions that may go, oldest first, and why each of the others stays."""

    removed: tuple[Version, ...]
    kept: tuple[tuple[Version, str], ...]


def choose(versions: Iterable[Dated], named: Mapping[str, str], keep: int, now: datetime) -> Plan:
    """Sort versions into those that go and those that stay.

    `named` maps the names and digests that channels use to the reason that gives.
    """
    ordered = sorted(
        versions, key=lambda each: (each.version.manifest.created, each.version.manifest.version)
    )
    newest = {each.version.digest for each in (ordered[-keep:] if keep else ())}
    removed, kept = [], []
    for each in ordered:
        if reason := _reason(each, named, newest, now):
            kept.append((each.version, reason))
        else:
            removed.append(each.version)
    return Plan(tuple(removed), tuple(kept))


def names(channel: str, document: Mapping[str, Any]) -> dict[str, str]:
    """Return all names and digests of versions in a channel's document, with what to say of it."""
    past = dict.fromkeys(_names(document.get("history")), f"in the history of {channel}")
    rest = {member: value for member, value in document.items() if member != "history"}
    return past | dict.fromkeys(_names(rest), f"named by {channel}")


def blobs_of(versions: Sequence[Version]) -> set[str]:
    """Return the digests of all files of these versions."""
    return {file.sha256 for version in versions for file in version.manifest.files}


def _reason(each: Dated, named: Mapping[str, str], newest: set[str], now: datetime) -> str:
    version = each.version
    for name in (version.digest, version.manifest.version):
        if name in named:
            return named[name]
    if version.digest in newest:
        return "among the newest"
    return "younger than a day" if now - each.modified < YOUNG else ""


def _names(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for member, inner in value.items():
                if member in _NAMING and isinstance(inner, str):
                    yield inner
                yield from _names(inner)
        case list():
            for inner in value:
                yield from _names(inner)
