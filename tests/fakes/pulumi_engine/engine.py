"""Steps: what an operation does to each resource, and to the state."""

import threading
from typing import Any

from tests.fakes.pulumi_engine import values
from tests.fakes.pulumi_engine.clouds import Clouds, ProviderError
from tests.fakes.pulumi_engine.events import Events
from tests.fakes.pulumi_engine.plugin import Plugin, PluginFailed
from tests.fakes.pulumi_engine.state import EngineError, Resource, State

DYNAMIC = "pulumi-python:dynamic"


class Engine:
    """One operation on one stack; with `preview` nothing is made and nothing remembered."""

    def __init__(
        self, state: State, events: Events, plugin: Plugin, clouds: Clouds, *, preview: bool
    ) -> None:
        self.state = state
        self.preview = preview
        self.failed = ""
        self._events = events
        self._plugin = plugin
        self._clouds = clouds
        self._seen: list[str] = []
        self._lock = threading.Lock()

    def register(self, wanted: Resource, ignored: list[str]) -> Resource:
        """Bring a resource to what the program wants; raises `EngineError` when that fails."""
        self._seen.append(wanted.urn)
        present = self.state.resources.get(wanted.urn)
        operation = "create"
        try:
            if wanted.kind.startswith(DYNAMIC):
                olds = present.inputs if present else {}
                wanted.inputs = self._plugin.check(wanted.urn, olds, wanted.inputs)
            operation, changed = self._operation(present, wanted, ignored)
            self._events.begin(operation, wanted.urn, wanted.kind, changed)
            if operation == "replace" and present:
                _require_unprotected(present, "unable to replace")
            self._apply(operation, present, wanted)
        except (ProviderError, PluginFailed) as error:
            self.failed = f"error: {error}"
            self._events.fail(operation, wanted.urn, wanted.kind, str(error))
            raise EngineError(self.failed) from None
        self._events.end(operation, wanted.urn, wanted.kind, changed)
        if not self.preview:
            with self._lock:
                self.state.resources[wanted.urn] = wanted
        return wanted

    def remove_unseen(self) -> None:
        """Remove what the program no longer wants."""
        for resource in reversed(list(self.state.resources.values())):
            if resource.urn not in self._seen:
                self.remove(resource)

    def remove(self, resource: Resource) -> None:
        """Remove a resource, unless it is protected or kept."""
        self._events.begin("delete", resource.urn, resource.kind)
        try:
            _require_unprotected(resource, "unable to delete")
            if not self.preview and not resource.retain and resource.kind.startswith(DYNAMIC):
                self._plugin.delete(resource.id, resource.urn, resource.outputs)
        except (ProviderError, PluginFailed) as error:
            self._events.fail("delete", resource.urn, resource.kind, str(error))
            raise EngineError(f"error: {error}") from None
        self._events.end("delete", resource.urn, resource.kind)
        if not self.preview:
            del self.state.resources[resource.urn]

    def refresh(self, resource: Resource) -> None:
        """Look at what exists, and take it for the truth."""
        self._events.begin("refresh", resource.urn, resource.kind)
        operation, outputs = "same", resource.outputs
        if resource.kind.startswith(DYNAMIC):
            try:
                id_, outputs = self._plugin.read(resource.id, resource.urn, resource.outputs)
            except PluginFailed as error:
                self._events.fail("refresh", resource.urn, resource.kind, str(error))
                raise EngineError(f"error: {error}") from None
            changed = not values.same(outputs, resource.outputs)
            operation = ("update" if changed else "same") if id_ else "delete"
        self._events.end(operation, resource.urn, resource.kind)
        if self.preview:
            return
        resource.outputs = outputs
        if operation == "delete":
            del self.state.resources[resource.urn]

    def _operation(
        self, present: Resource | None, wanted: Resource, ignored: list[str]
    ) -> tuple[str, list[str]]:
        if present is None:
            return "create", []
        if wanted.kind.startswith(DYNAMIC):
            diff = self._plugin.diff(present.id, wanted.urn, present.outputs, wanted.inputs)
            if diff.replaces:
                return "replace", list(diff.replaces)
            return ("update" if diff.changes == diff.DIFF_SOME else "same"), []
        changed = [
            name
            for name in sorted(present.inputs.keys() | wanted.inputs.keys())
            if name not in ignored
            and not values.same(present.inputs.get(name), wanted.inputs.get(name))
        ]
        if not changed:
            return "same", []
        return ("replace" if {"bucket", "name", "accountId"} & set(changed) else "update"), changed

    def _apply(self, operation: str, present: Resource | None, wanted: Resource) -> None:
        """Make or change the resource; in a preview only what is known already is known."""
        if present is not None:
            wanted.id, wanted.outputs = present.id, present.outputs
        if operation == "same":
            return
        if self.preview:
            if operation != "update":
                wanted.id, wanted.outputs = "", dict(wanted.inputs)
            return
        if not wanted.kind.startswith(DYNAMIC):
            wanted.id, wanted.outputs = self._clouds.make(wanted.kind, wanted.name, wanted.inputs)
        elif operation == "update" and present is not None:
            wanted.outputs = self._plugin.update(
                present.id, wanted.urn, present.outputs, wanted.inputs
            )
        else:
            wanted.id, wanted.outputs = self._plugin.create(wanted.urn, wanted.inputs)
            if operation == "replace" and present is not None and not present.retain:
                self._plugin.delete(present.id, present.urn, present.outputs)


def _require_unprotected(resource: Resource, what: str) -> None:
    if resource.protect:
        raise ProviderError(
            f'{what} resource "{resource.urn}"\nas it is currently marked for protection.'
        )


def parts(outputs: dict[str, Any], secret: set[str], *, show: bool) -> dict[str, Any]:
    """Return outputs as the command prints them."""
    return {
        name: value if show or name not in secret else "[secret]" for name, value in outputs.items()
    }
