"""What must be true of a store before anything is published to it: a list of checks.

`check` runs them in order and stops where the next could only repeat the trouble. With a second
store, opened with the service's credentials, it also proves what those can *not* do: replace a
model, which is the point of their being others. Probes have names of their own and are removed.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from pointsman import findings, keys
from pointsman.errors import (
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreDenied,
    StoreError,
)
from pointsman.findings import Finding, Severity
from pointsman.stores import uploads
from pointsman.stores.base import ObjectStore

_SKEW_WARNING = timedelta(seconds=60)
_SKEW_ERROR = timedelta(minutes=14)  # S3 refuses requests signed 15 minutes off
_SET_CLOCK = "Set this machine's clock: turn on time synchronisation (NTP)."

Check = Callable[[ObjectStore], Finding]


def check(store: ObjectStore, runtime: ObjectStore | None = None) -> Iterator[Finding]:
    """Yield what each check finds; raises nothing that a store can answer."""
    for name, run in CHECKS.items():
        finding = _judged(name, run, store)
        yield finding
        if finding.severity is Severity.ERROR and run in _ESSENTIAL:
            return
    if runtime is not None:
        for name, run in RUNTIME_CHECKS.items():
            yield _judged(name, run, runtime)


def reach(store: ObjectStore) -> Finding:
    """Ask whether it answers, and by a clock that agrees with ours."""
    skew = abs(store.now() - datetime.now(UTC))
    seconds = round(skew.total_seconds())
    if skew > _SKEW_ERROR:
        return findings.error("reach", f"its clock and ours differ by {seconds} s", _SET_CLOCK)
    if skew > _SKEW_WARNING:
        return findings.warning("reach", f"its clock and ours differ by {seconds} s", _SET_CLOCK)
    return findings.ok("reach", f"{store.url} answers, and its clock agrees with ours")


def read(store: ObjectStore) -> Finding:
    """Ask whether these credentials may list and read."""
    store.folders(keys.MODELS)
    with suppress(ObjectNotFound):
        store.get(keys.probe(secrets.token_hex(8)))
    return findings.ok("read", "what is there can be listed and read")


def conditional_writes(store: ObjectStore) -> Finding:
    """Ask whether it refuses a second creation, and an update of what has changed."""
    key = keys.probe(secrets.token_hex(8))
    store.create(key, b"{}")
    try:
        ignored = _ignored_condition(store, key)
    finally:
        with suppress(StoreError):
            store.delete(key)
    if ignored:
        return findings.error(
            "conditional writes",
            f"{store.url} ignores {ignored}: changes of a channel could undo each other unseen",
            "Use a store that keeps conditions: S3, R2, Tigris, MinIO, gs:// or a directory.",
        )
    return findings.ok("conditional writes", "writable, and conditions of writes are kept")


def unfinished_uploads(store: ObjectStore) -> Finding:
    """Ask whether killed publishers left parts behind, which cost money unseen."""
    try:
        left = uploads.abandoned(store, keys.MODELS)
    except StoreError as error:
        return findings.ok("unfinished uploads", f"unknown: {error.message}")
    if left:
        return findings.warning(
            "unfinished uploads",
            f"{len(left)} uploads were begun over a day ago and never finished",
            "The next `pointsman upload-model` of that model aborts them; a lifecycle rule "
            "AbortIncompleteMultipartUpload does so for good.",
        )
    return findings.ok("unfinished uploads", "none")


def runtime_reads(store: ObjectStore) -> Finding:
    """Ask whether the service can read models."""
    with suppress(ObjectNotFound):
        store.get(keys.probe(secrets.token_hex(8)))
    return findings.ok("runtime reads models", "the service's credentials read models")


def runtime_beats(store: ObjectStore) -> Finding:
    """Ask whether the service can write heartbeats."""
    key = keys.fleet_probe(secrets.token_hex(8))
    store.overwrite(key, b"{}")
    with suppress(StoreError):
        store.delete(key)
    return findings.ok("runtime writes heartbeats", "the service's credentials write heartbeats")


def runtime_cannot_publish(store: ObjectStore) -> Finding:
    """Ask whether the service is kept from writing models."""
    key = keys.probe(secrets.token_hex(8))
    try:
        store.overwrite(key, b"{}")
    except StoreDenied:
        return findings.ok(
            "runtime cannot write models", "the service's credentials cannot write models"
        )
    with suppress(StoreError):
        store.delete(key)
    return findings.error(
        "runtime cannot write models",
        "the service's credentials can write models: whoever takes over a service owns them all",
        "Give the service credentials that read models/ and write fleet/ only; "
        "`pointsman infra up` makes such a pair.",
    )


CHECKS: dict[str, Check] = {
    "reach": reach,
    "read": read,
    "conditional writes": conditional_writes,
    "unfinished uploads": unfinished_uploads,
}
RUNTIME_CHECKS: dict[str, Check] = {
    "runtime reads models": runtime_reads,
    "runtime writes heartbeats": runtime_beats,
    "runtime cannot write models": runtime_cannot_publish,
}
_ESSENTIAL = (reach, read)


def _judged(name: str, run: Check, store: ObjectStore) -> Finding:
    try:
        return run(store)
    except StoreError as error:
        return findings.error(name, error.message, error.hint)


def _ignored_condition(store: ObjectStore, key: str) -> str:
    """Return the name of the condition that did not count; "" when both did."""
    before = store.head(key).etag
    with suppress(ObjectExists):
        store.create(key, b"{ }")
        return "If-None-Match"
    store.update(key, b"[]", before)
    with suppress(PreconditionFailed):
        store.update(key, b"[ ]", before)
        return "If-Match"
    return ""
