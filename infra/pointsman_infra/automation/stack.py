"""A stack: the operations there are on it, each one call, each failure one of our errors.

The program runs in this process; only the engine is another. Settings reach it as one member of
the stack's configuration, secrets never do: they come from the environment, so that they are in
no argument list.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from pulumi import automation
from pulumi.automation import (
    ConfigValue,
    LocalWorkspaceOptions,
    ProjectSettings,
    PulumiCommand,
)
from pulumi.automation.errors import CommandError

from pointsman.errors import PointsmanError
from pointsman_infra import outputs, program
from pointsman_infra.automation.backend import Backend
from pointsman_infra.automation.failures import explain
from pointsman_infra.automation.steps import Steps
from pointsman_infra.errors import StackMissing
from pointsman_infra.outputs import StoreOutputs
from pointsman_infra.settings import Settings

PROJECT = "pointsman"
Result = TypeVar("Result")


class Stack:
    """One stack in one backend."""

    def __init__(
        self, name: str, directory: Path, backend: Backend, command: PulumiCommand
    ) -> None:
        self.name = name
        self._directory = directory
        self._backend = backend
        self._command = command
        self._refused: PointsmanError | None = None
        self._opened: automation.Stack | None = None

    @property
    def version(self) -> str:
        """The version of the command that drives the engine."""
        return str(self._command.version)

    def preview(self, settings: Settings, steps: Steps) -> None:
        """Find out what `up` would do. The stack is made if there is none; it stays empty."""
        stack = self._configured(settings)
        self._run(lambda: stack.preview(on_event=steps.hear), steps)

    def up(self, settings: Settings, steps: Steps) -> StoreOutputs:
        """Make everything as the settings say, and return the contract; can be repeated."""
        stack = self._configured(settings)
        result = self._run(lambda: stack.up(on_event=steps.hear, show_secrets=False), steps)
        return _read(result.outputs)

    def outputs(self) -> StoreOutputs:
        """Return what the last `up` handed over; raises `StackMissing` when there is nothing."""
        handed = self.handed()
        if handed is None:
            raise StackMissing(
                f"the stack {self.name} has nothing in it", "`pointsman infra up` fills it."
            )
        return handed

    def handed(self) -> StoreOutputs | None:
        """Return the outputs; None for a stack that is empty, or whose only `up` failed.

        Raises `StackMissing` when there is no such stack.
        """
        values = self._run(self._selected().outputs)
        return _read(values) if values else None

    def drift(self, steps: Steps) -> None:
        """Compare what exists with what was made; the state is left as it is."""
        stack = self._selected()
        self._run(lambda: stack.preview_refresh(on_event=steps.hear), steps)

    def refresh(self, steps: Steps) -> None:
        """Take what exists for the truth, so that the next `up` repairs it."""
        stack = self._selected()
        self._run(lambda: stack.refresh(on_event=steps.hear, show_secrets=False), steps)

    def remove(self, steps: Steps) -> None:
        """Remove everything, and forget the stack but not its settings."""
        stack = self._selected()
        self._run(lambda: stack.destroy(on_event=steps.hear, show_secrets=False), steps)
        self._run(lambda: stack.workspace.remove_stack(self.name, preserve_config=True))
        self._opened = None

    def _configured(self, settings: Settings) -> automation.Stack:
        """Return the stack, made if there is none, with its settings written down."""
        if self._opened is None:
            self._opened = self._run(lambda: automation.create_or_select_stack(**self._arguments()))
        stack = self._opened
        value = msgspec.json.encode(_said(settings)).decode()
        key = f"{program.NAMESPACE}:{program.KEY}"
        self._run(lambda: stack.set_config(key, ConfigValue(value)))
        return stack

    def _selected(self) -> automation.Stack:
        """Return the stack, which has to exist; asked for once, because each question costs."""
        if self._opened is None:
            self._opened = self._run(lambda: automation.select_stack(**self._arguments()))
        return self._opened

    def _arguments(self) -> dict[str, Any]:
        own_project = (self._directory / "Pulumi.yaml").is_file()
        options = LocalWorkspaceOptions(
            work_dir=str(self._directory),
            env_vars={
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_PYTHON_CMD": sys.executable,
                **self._backend.environment(),
            },
            project_settings=None
            if own_project
            else ProjectSettings(name=PROJECT, runtime="python", main=str(self._directory)),
            pulumi_command=self._command,
        )
        return {
            "stack_name": self.name,
            "project_name": PROJECT,
            "program": self._program,
            "opts": options,
        }

    def _program(self) -> None:
        try:
            program.main()
        except PointsmanError as error:
            # The engine would tell only its text, wrapped in a traceback.
            self._refused = error
            raise

    def _run(self, operation: Callable[[], Result], steps: Steps | None = None) -> Result:
        self._refused = None
        try:
            return operation()
        except CommandError as error:
            if self._refused is not None:
                raise self._refused from error
            explained = explain(error, self.name, steps.said if steps else ())
            if steps is not None:
                explained.document = {"stack": self.name, "steps": documents(steps)}
            raise explained from None


def _read(values: automation.OutputMap) -> StoreOutputs:
    return outputs.read({name: value.value for name, value in values.items()})


def documents(steps: Steps) -> list[dict[str, object]]:
    """Return the steps as `--json` gives them."""
    return [step.document() for step in steps.all()]


def _said(settings: Settings) -> dict[str, Any]:
    """Return the members that are not at their defaults: what a person would have written."""
    defaults = msgspec.to_builtins(Settings(provider=settings.provider))
    values: dict[str, Any] = msgspec.to_builtins(settings)
    return {
        name: value
        for name, value in values.items()
        if name == "provider" or value != defaults[name]
    }
