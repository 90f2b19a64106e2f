"""Whether a provisioned store does what it must, and refuses what it must: tried, not assumed.

Every check is one question with a finding. What is written to try is one blob of five bytes,
always under the same key and of no version; no key that is handed out could remove it.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pointsman import keys
from pointsman.errors import ObjectExists, PointsmanError, StoreDenied
from pointsman.stores.base import ObjectStore
from pointsman_infra import administrator
from pointsman_infra.outputs import Role, StoreOutputs

_MODEL = "pointsman-doctor"
_CHANNEL = "doctor"
_PROBE = b"probe"


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question; `fix` says what to do where it is not the right one."""

    question: str
    good: bool
    answer: str
    fix: str = ""

    def document(self) -> dict[str, object]:
        """Return what `--json` gives."""
        return {name: getattr(self, name) for name in self.__slots__}


def examine(outputs: StoreOutputs) -> Iterator[Finding]:
    """Try both keys on the store; yields findings as they come."""
    yield from _examine_publisher(outputs)
    if outputs.runtime is None:
        answer = f"it takes on {outputs.role_arn}, which only its platform can try"
        yield Finding("runtime reads models", good=True, answer=answer)
        return
    yield from _examine_runtime(outputs)


def _examine_publisher(outputs: StoreOutputs) -> Iterator[Finding]:
    store = _open(outputs, outputs.store, Role.PUBLISHER)
    fleet = _open(outputs, outputs.fleet or outputs.store, Role.PUBLISHER)
    yield _works("publisher writes models", lambda: _create(store))
    yield _works("publisher reads models", lambda: store.get(_key()))
    yield _works("publisher lists models", lambda: list(store.scan(keys.versions(_MODEL))))
    yield _works("publisher reads heartbeats", lambda: list(fleet.scan("fleet/")))
    yield _once(store)


def _examine_runtime(outputs: StoreOutputs) -> Iterator[Finding]:
    models = _open(outputs, outputs.store, Role.RUNTIME)
    fleet = _open(outputs, outputs.fleet or outputs.store, Role.RUNTIME)
    beat = keys.heartbeat(_MODEL, _CHANNEL, "probe")
    yield _works("runtime reads models", lambda: models.get(_key()))
    yield _works("runtime writes heartbeats", lambda: fleet.overwrite(beat, b"{}"))
    yield _works("runtime removes its heartbeats", lambda: fleet.delete(beat))
    yield _refused("runtime cannot write models", lambda: models.overwrite(_key(), _PROBE))


def _key() -> str:
    return keys.blob(_MODEL, hashlib.sha256(_PROBE).hexdigest())


def _create(store: ObjectStore) -> None:
    """Write the probe; that it is there already is said only to those who may write."""
    try:
        store.create(_key(), _PROBE)
    except ObjectExists:
        return


def _open(outputs: StoreOutputs, url: str, role: Role) -> ObjectStore:
    return administrator.open_with(url, outputs.environment(role))


def _works(question: str, attempt: Callable[[], object]) -> Finding:
    try:
        attempt()
    except PointsmanError as error:
        return Finding(question, good=False, answer=error.message, fix=error.hint)
    return Finding(question, good=True, answer="yes")


def _refused(question: str, attempt: Callable[[], object]) -> Finding:
    fix = "Give the runtime a key of its own that may only read models and write heartbeats."
    try:
        attempt()
    except StoreDenied:
        return Finding(question, good=True, answer="it was refused")
    except PointsmanError as error:
        return Finding(question, good=False, answer=error.message, fix=error.hint)
    return Finding(question, good=False, answer="it wrote one", fix=fix)


def _once(store: ObjectStore) -> Finding:
    """Write again what is there: a store that takes it would let two publishers overwrite."""
    question = "the store creates an object only once"
    try:
        store.create(_key(), _PROBE)
    except ObjectExists:
        return Finding(question, good=True, answer="yes")
    except PointsmanError as error:
        return Finding(question, good=False, answer=error.message, fix=error.hint)
    fix = "Channels need conditional writes: choose another provider."
    return Finding(question, good=False, answer="it overwrote one", fix=fix)
