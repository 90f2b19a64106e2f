"""What the engine does to each resource, as its events tell it: the facts behind a live tree."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from pulumi.automation import EngineEvent
from pulumi.automation.events import StepEventMetadata

_QUIET = {"same", "read", "refresh"}
_DYNAMIC = "pulumi-python:dynamic/"


class State(StrEnum):
    """How far a step is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True)
class Step:
    """One resource, what is done to it, and how far that is."""

    urn: str
    kind: str
    name: str
    operation: str
    state: State = State.RUNNING
    changed: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Tell whether anything is different afterwards."""
        return self.operation not in _QUIET

    def document(self) -> dict[str, object]:
        """Return what `--json` gives."""
        return {
            "resource": self.name,
            "kind": self.kind,
            "operation": self.operation,
            "state": self.state.value,
            "changed": list(self.changed),
        }


@dataclass(slots=True)
class Steps:
    """Everything one operation did; `heard` is called after each change of it."""

    heard: Callable[["Steps"], None] = lambda _: None
    by_urn: dict[str, Step] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def hear(self, event: EngineEvent) -> None:
        """Take in an event of the engine."""
        if event.resource_pre_event:
            self._begin(event.resource_pre_event.metadata)
        elif event.res_outputs_event:
            self._end(event.res_outputs_event.metadata, State.DONE)
        elif event.res_op_failed_event:
            self._end(event.res_op_failed_event.metadata, State.FAILED)
        elif event.diagnostic_event and event.diagnostic_event.severity in {"error", "warning"}:
            self.said.append(event.diagnostic_event.message)
        else:
            return
        self.heard(self)

    def all(self) -> list[Step]:
        """Return the steps in the order in which they began, without the stack itself."""
        return [step for step in self.by_urn.values() if step.kind != "pulumi:pulumi:Stack"]

    def summary(self) -> dict[str, int]:
        """Count operations."""
        counts: dict[str, int] = {}
        for step in self.all():
            counts[step.operation] = counts.get(step.operation, 0) + 1
        return counts

    def _begin(self, metadata: StepEventMetadata) -> None:
        name = metadata.urn.rsplit("::", 1)[-1]
        kind = metadata.type.removeprefix(_DYNAMIC)
        changed = tuple(metadata.diffs or ())
        operation = _plain(metadata.op.value)
        present = self.by_urn.get(metadata.urn)
        if present is not None and present.operation == "replace":
            return  # a replacement is told as several steps; one line is enough
        self.by_urn[metadata.urn] = Step(metadata.urn, kind, name, operation, changed=changed)

    def _end(self, metadata: StepEventMetadata, state: State) -> None:
        if metadata.urn not in self.by_urn:
            self._begin(metadata)
        step = self.by_urn[metadata.urn]
        step.state = state
        if step.operation == "refresh":
            # What a refresh found is known only at its end.
            step.operation = _plain(metadata.op.value)
            step.changed = tuple(metadata.diffs or ())


def _plain(operation: str) -> str:
    """Fold the phases of a replacement into one word."""
    return "replace" if "replace" in operation else operation
