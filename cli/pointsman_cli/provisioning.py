"""What `pointsman infra` works on: the stack that `[infra]` and the options name, and its settings.

`[infra]` in pointsman.toml holds the stack's settings beside three members of its own: `stack`
(default: production), `backend`, and `remember` (default: true). An option beats the file, the
file beats what the environment says.
"""

import functools
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from pointsman_cli.configuration import Project
from pointsman_cli.errors import CommandError, UsageError
from pointsman_cli.output import Output

if TYPE_CHECKING:
    from pointsman_infra.automation.backend import Backend
    from pointsman_infra.automation.stack import Stack
    from pointsman_infra.outputs import StoreOutputs
    from pointsman_infra.settings import Settings

DEFAULT_STACK = "production"
_OWN = ("stack", "backend", "remember")
_STACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says; an empty value leaves it to the file."""

    stack: str = ""
    backend: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    install_cli: bool = False


class Provisioning:
    """One stack of one project."""

    def __init__(self, project: Project, output: Output, asked: Asked | None = None) -> None:
        self._project = project
        self._output = output
        self._asked = asked or Asked()
        self._table = project.configuration.infra
        self.state = project.state / "infra"

    @property
    def name(self) -> str:
        """The stack's name; raises `UsageError` for one that cannot be."""
        name = self._asked.stack or self._table.get("stack", DEFAULT_STACK)
        if not isinstance(name, str) or not _STACK.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be the name of a stack",
                "Use letters, digits, '.', '_' and '-': production, staging, …",
            )
        return name

    @functools.cached_property
    def settings(self) -> "Settings":
        """What the stack is asked to be; raises `SettingsInvalid` that names the mistake."""
        from pointsman_infra import settings
        from pointsman_infra.errors import SettingsInvalid

        values = {name: value for name, value in self._table.items() if name not in _OWN}
        values |= {name: value for name, value in self._asked.settings.items() if value}
        if "provider" not in values:
            raise SettingsInvalid(
                "no provider is named",
                "Use --provider aws, r2, compatible or existing, or provider under [infra].",
            )
        values = settings.completed(values, os.environ, self.name)
        if isinstance(values.get("models"), list):
            values["models"] = [self._anchored(each) for each in values["models"]]
        return settings.read(values)

    def settings_with_live_keys(self) -> "Settings":
        """The settings, with the keys that the stack has now: only `rotate` changes those."""
        from pointsman_infra.errors import StackMissing

        settings = self.settings
        try:
            handed = self.stack.handed()
        except StackMissing:
            handed = None
        return msgspec.structs.replace(settings, keys=handed.keys) if handed else settings

    @functools.cached_property
    def backend(self) -> "Backend":
        """Where the state is, or would be."""
        _require_pulumi()
        from pointsman_infra.automation import backend

        asked = self._asked.backend or str(self._table.get("backend", ""))
        return backend.find(asked, os.environ, self._directory, self.state)

    @functools.cached_property
    def stack(self) -> "Stack":
        """The stack, ready to be worked on; raises `CommandMissing` or `StateUnusable`."""
        _require_pulumi()
        from pointsman_infra.automation import backend, command
        from pointsman_infra.automation.stack import Stack

        pulumi = command.find(os.environ, install=self._asked.install_cli)
        if backend.prepare(self.backend, self.state, os.environ):
            self._output.warn(
                f"a passphrase was made in {self.backend.passphrase_file}: keep a copy of it, "
                "the stack's secrets cannot be read without"
            )
        self._directory.mkdir(parents=True, exist_ok=True)
        return Stack(self.name, self._directory, self.backend, pulumi)

    def remember(self, handed: "StoreOutputs") -> None:
        """Keep the outputs for the other commands, unless `remember = false`."""
        from pointsman_infra import handover
        from pointsman_infra.automation import backend

        if self._table.get("remember", True):
            backend.make_private(self.state)
            handover.remember(self.state, self.name, handed)

    def handed(self) -> "StoreOutputs | None":
        """Return the outputs, remembered or asked for; None where nothing was provisioned."""
        from pointsman_infra import handover
        from pointsman_infra.errors import StackMissing

        remembered = handover.recall(self.state, self.name)
        if remembered is not None or not self._table:
            return remembered
        try:
            handed = self.stack.handed()
        except StackMissing:
            return None
        if handed:
            self.remember(handed)
        return handed

    @property
    def _directory(self) -> Path:
        """The Pulumi project: the user's own beside pointsman.toml, else one in the state."""
        own = self._project.directory / "infra"
        return own if (own / "Pulumi.yaml").is_file() else self.state / "project"

    def _anchored(self, declared: Any) -> Any:
        """Make a declared model's paths relative to pointsman.toml, wherever the command is run."""
        if not isinstance(declared, dict):
            return declared
        paths = {
            name: str(self._project.directory / declared[name])
            for name in ("path", "golden")
            if isinstance(declared.get(name), str) and declared[name]
        }
        return declared | paths


def _require_pulumi() -> None:
    from importlib.util import find_spec

    if find_spec("pulumi") is None:
        raise CommandError(
            "provisioning needs Pulumi's library, and it is not installed",
            "Install the command with its extra: pip install 'pointsman-cli[infra]'.",
        )
    # On the user's terminal, its transport would tell of every connection that the engine closes,
    # and the interpreter of every promise that a failed program did not keep.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
