"""The `pulumi` command as the SDK calls it: the same arguments, answers and failures."""

import argparse
import json
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from tests.fakes.pulumi_engine import plugin, state
from tests.fakes.pulumi_engine.clouds import Clouds
from tests.fakes.pulumi_engine.engine import Engine, parts
from tests.fakes.pulumi_engine.events import Events
from tests.fakes.pulumi_engine.monitor import run_program
from tests.fakes.pulumi_engine.plugin import Plugin
from tests.fakes.pulumi_engine.state import EngineError

_HISTORY = [
    {
        "kind": "update",
        "startTime": "2026-01-01T00:00:00.000Z",
        "message": "",
        "environment": {},
        "config": {},
        "result": "succeeded",
        "version": 1,
    }
]
_OPERATIONS = ("up", "preview", "refresh", "destroy")


class FakePulumi(PulumiCommand):
    """Runs commands in this process; `asked` is every argument list it was given.

    Dynamic resources are made by `plugin`, or by a process of their own for each operation.
    """

    def __init__(self, clouds: Clouds | None = None, plugin: Plugin | None = None) -> None:
        self.command = "pulumi"
        self.version = VersionInfo(3, 272, 0)
        self.clouds = clouds or Clouds()
        self.asked: list[list[str]] = []
        self._plugin = plugin

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> CommandResult:
        """Do what the arguments say; raises the SDK's errors as the SDK would."""
        self.asked.append(list(args))
        environment = {**os.environ, **additional_env}
        try:
            stdout = self.execute(args, Path(cwd), environment)
        except EngineError as error:
            text = str(error)
            raise create_command_error(CommandResult(stdout=text, stderr=text, code=255)) from None
        return CommandResult(stdout=stdout, stderr="", code=0)

    def execute(self, args: list[str], cwd: Path, environment: Mapping[str, str]) -> str:
        """Return what the command prints; raises `EngineError` when it fails."""
        words = [word for word in args if word != "--non-interactive"]
        if words[0] in _OPERATIONS:
            return self._operate(words[0], _options(words[1:]), cwd, environment)
        if words[:2] == ["config", "set"]:
            return _set_config(cwd, _options(words[3:]).stack, words[2], words[-1])
        if words[:2] == ["stack", "init"]:
            state.create(words[2], environment)
        elif words[:2] == ["stack", "select"]:
            state.load(_options(words[2:]).stack, environment)
        elif words[:2] == ["stack", "rm"]:
            state.load(words[-1], environment).path.unlink()
        elif words[:2] == ["stack", "output"]:
            options = _options(words[2:])
            present = state.load(options.stack, environment)
            shown = parts(present.outputs, set(present.secret), show=options.show_secrets)
            return json.dumps(shown)
        elif words[:2] == ["stack", "history"]:
            return json.dumps(_HISTORY)
        else:
            raise EngineError(f"error: unknown command {' '.join(words)}")
        return ""

    def _operate(
        self, verb: str, options: argparse.Namespace, cwd: Path, environment: Mapping[str, str]
    ) -> str:
        present = state.load(options.stack, environment)
        preview = verb == "preview" or options.preview_only
        events = Events(options.event_log)
        with ExitStack() as stack:
            stack.callback(events.close)
            provider = self._plugin or stack.enter_context(plugin.running(environment))
            engine = Engine(present, events, provider, self.clouds, preview=preview)
            if not preview:
                stack.callback(present.save)
            if verb in {"up", "preview"}:
                config = _config(cwd, options.stack)
                ran = run_program(options.client, engine, options.stack, events, config)
                engine.remove_unseen()
                if not preview:
                    present.outputs, present.secret = ran.outputs, sorted(ran.secret)
            for resource in reversed(list(present.resources.values())):
                if verb == "destroy":
                    engine.remove(resource)
                elif verb == "refresh":
                    engine.refresh(resource)
            if verb == "destroy" and not preview:
                present.outputs = {}
        return ""


def _options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(add_help=False)
    for name in ("--stack", "--client", "--event-log", "--exec-kind"):
        parser.add_argument(name, default="")
    for name in ("--preview-only", "--show-secrets", "--json"):
        parser.add_argument(name, action="store_true")
    return parser.parse_known_args(words)[0]


def _set_config(cwd: Path, stack: str, key: str, value: str) -> str:
    path = cwd / f"Pulumi.{stack}.yaml"
    document = (yaml.safe_load(path.read_text()) if path.exists() else None) or {}
    document.setdefault("config", {})[key] = value
    path.write_text(yaml.safe_dump(document))
    return ""


def _config(cwd: Path, stack: str) -> dict[str, str]:
    path = cwd / f"Pulumi.{stack}.yaml"
    document = (yaml.safe_load(path.read_text()) if path.exists() else None) or {}
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in document.get("config", {}).items()
    }
