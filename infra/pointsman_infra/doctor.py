"""Whether a provisioned store does what it must, and refuses what it must: tried, not assumed.

Every check is one question with a finding. The objects it writes lie under a model named
`.doctor`-like names no publisher can use by accident, and are removed as far as the keys allow.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

from pointsman import keys
from pointsman.errors import ObjectExists, ObjectNotFound, PointsmanError, StoreDenied
from pointsman.stores.base import ObjectStore
from pointsman_infra import administrator
from pointsman_infra.outputs import Role, StoreOutputs

_MODEL = "pointsman-doctor"
_CHANNEL = "doctor"


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
        yield Finding("runtime", True, f"takes on {outputs.role_arn}; only its platform can try")  # noqa: FBT003
        return
    yield from _examine_runtime(outputs)


def _examine_publisher(outputs: StoreOutputs) -> Iterator[Finding]:
    store = _open(outputs, outputs.store, Role.PUBLISHER)
    probe = keys.blob(_MODEL, uuid4().hex * 2)
    yield _works("publisher writes models", lambda: store.create(probe, b"probe"))
    yield _works("publisher reads models", lambda: store.get(probe))
    yield _once(store, probe)
    yield _works("publisher lists models", lambda: list(store.scan(keys.versions(_MODEL))))
    _clean(store, probe)


def _examine_runtime(outputs: StoreOutputs) -> Iterator[Finding]:
    models = _open(outputs, outputs.store, Role.RUNTIME)
    fleet = _open(outputs, outputs.fleet or outputs.store, Role.RUNTIME)
    beat = keys.heartbeat(_MODEL, _CHANNEL, "probe")
    yield _works("runtime reads models", lambda: _missing_is_fine(models))
    yield _works("runtime writes heartbeats", lambda: fleet.overwrite(beat, b"{}"))
    yield _works("runtime removes its heartbeats", lambda: fleet.delete(beat))
    intruder = keys.blob(_MODEL, uuid4().hex * 2)
    yield _refused("runtime cannot write models", lambda: models.create(intruder, b"probe"))
    _clean(_open(outputs, outputs.store, Role.PUBLISHER), intruder)


def _open(outputs: StoreOutputs, url: str, role: Role) -> ObjectStore:
    return administrator.open_with(url, outputs.environment(role))


def _missing_is_fine(store: ObjectStore) -> None:
    try:
        store.get(keys.manifest(_MODEL, "none"))
    except ObjectNotFound:
        return


def _works(question: str, attempt: Callable[[], object]) -> Finding:
    try:
        attempt()
    except PointsmanError as error:
        return Finding(question, False, error.message, error.hint)  # noqa: FBT003
    return Finding(question, True, "yes")  # noqa: FBT003


def _refused(question: str, attempt: Callable[[], object]) -> Finding:
    fix = "Give the runtime a key of its own that may only read models and write heartbeats."
    try:
        attempt()
    except StoreDenied:
        return Finding(question, True, "yes, it was refused")  # noqa: FBT003
    except PointsmanError as error:
        return Finding(question, False, error.message, error.hint)  # noqa: FBT003
    return Finding(question, False, "it wrote one", fix)  # noqa: FBT003


def _once(store: ObjectStore, key: str) -> Finding:
    """Write again what is there: a store that takes it would let two publishers overwrite."""
    question = "the store creates an object only once"
    try:
        store.create(key, b"other")
    except ObjectExists:
        return Finding(question, True, "yes")  # noqa: FBT003
    except PointsmanError as error:
        return Finding(question, False, error.message, error.hint)  # noqa: FBT003
    return Finding(question, False, "it overwrote one", "Channels need conditional writes: choose another provider.")  # noqa: FBT003


def _clean(store: ObjectStore, key: str) -> None:
    try:
        store.delete(key)
    except PointsmanError:
        return  # the publisher may not delete, by intent; a blob nobody names is garbage
