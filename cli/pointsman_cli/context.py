"""What a command receives: its configuration, its voice, and the registry, each made when used.

`with_context` gives a command the options that every command has.
"""

import functools
import inspect
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.output import Output

if TYPE_CHECKING:
    from pointsman.errors import PointsmanError
    from pointsman.registry import Registry
    from pointsman.stores.base import ObjectStore
    from pointsman_cli.configuration import Project
    from pointsman_cli.errors import Interrupted
    from pointsman_infra.outputs import StoreOutputs

_PRIVATE = frozenset({"POINTSMAN_SIGNING_KEY", "POINTSMAN_PUBLIC_KEY"})


class Context:
    """One invocation."""

    def __init__(self, output: Output, flags: dict[str, str | None]) -> None:
        self.output = output
        self.flags = flags
        self.facts: dict[str, Any] = {}
        """What was achieved so far; part of the document if the command fails after all."""
        self._standing = "Nothing was changed."

    def stands(self, sentence: str, **facts: Any) -> None:
        """Note how things stand from now on, for somebody who presses Ctrl-C."""
        self._standing = sentence
        self.facts |= facts

    def fail(self, error: "PointsmanError") -> None:
        """Tell what went wrong; what to type next is told for what this command worked on."""
        from pointsman_cli import hints

        given = {name: value for name in _FLAGS if (value := self.flags.get(name))}
        error.hint = hints.complete(error.hint, given)
        self.output.error(error, self.facts)

    def interrupted(self) -> "Interrupted":
        """Return what to tell somebody who pressed Ctrl-C."""
        from pointsman_cli.errors import Interrupted

        return Interrupted("interrupted", self._standing)

    @functools.cached_property
    def configured(self) -> "Project":
        """The configuration as written; raises `UsageError` when it is wrong."""
        from pointsman_cli import configuration

        return configuration.load(self.flags, os.environ, Path.cwd())

    @functools.cached_property
    def project(self) -> "Project":
        """The configuration in force: a store that nobody named is the one that was provisioned.

        Its publisher's key takes the place of whatever key the environment holds.
        """
        handed = self._handed
        if handed is None:
            return self.configured
        from pointsman_cli import provisioned
        from pointsman_infra.outputs import Role

        provisioned.take_on(handed, Role.PUBLISHER, os.environ)
        return provisioned.project(self.configured, handed)

    @property
    def runtime_environment(self) -> dict[str, str]:
        """The variables that a deployed service needs for the provisioned store, and no more.

        Empty where the store was named by the operator: then its key is theirs to hand on.
        """
        if self._handed is None:
            return {}
        from pointsman_infra.outputs import Role

        return self._handed.environment(Role.RUNTIME)

    @property
    def service_environment(self) -> dict[str, str]:
        """What a service started from here inherits: the runtime's key, no key that signs."""
        environment = {name: os.environ[name] for name in os.environ if name not in _PRIVATE}
        if public_keys := self.project.configuration.public_keys:
            environment["POINTSMAN_PUBLIC_KEYS"] = " ".join(public_keys)
        if self._handed is not None:
            from pointsman_cli import provisioned
            from pointsman_infra.outputs import Role

            provisioned.take_on(self._handed, Role.RUNTIME, environment)
        return environment

    @functools.cached_property
    def _handed(self) -> "StoreOutputs | None":
        if self.configured.store_named:
            return None
        from pointsman_cli.provisioning import Provisioning

        return Provisioning(self.configured, self.output).handed()

    @functools.cached_property
    def registry(self) -> "Registry":
        """The registry in the configured store, with the keys that are configured.

        Raises `UsageError` for keys that are none.
        """
        import pointsman

        configuration = self.project.configuration
        if not (configuration.signing_key or configuration.public_keys):
            return pointsman.open(configuration.store)
        from pointsman.errors import KeyUnusable
        from pointsman.signing.keypair import SigningKey, parse_all
        from pointsman_cli.errors import UsageError

        try:
            trusted = parse_all(configuration.public_keys)
            path = configuration.signing_key
            signer = SigningKey.load(Path(path)) if path else None
        except KeyUnusable as error:
            raise UsageError(error.message, error.hint) from error
        if path and Path(path).stat().st_mode & stat.S_IROTH:
            self.output.warn(f"everybody on this machine can read {path}: chmod 600 {path}")
        return pointsman.open(configuration.store, signer=signer, trusted=trusted)

    @functools.cached_property
    def fleet_store(self) -> "ObjectStore":
        """Where heartbeats are."""
        from pointsman.stores import open_store

        fleet = self.project.configuration.fleet
        return open_store(fleet) if fleet else self.registry.store

    def sign_with(self, key_file: Path | None) -> None:
        """Let the command line name the signing key; it beats environment and file."""
        if key_file is not None:
            self.flags["signing_key"] = str(key_file)

    @property
    def model(self) -> str:
        """The model to work on; raises `UsageError` when none is named."""
        from pointsman.names import model_name
        from pointsman_cli.errors import UsageError

        name = self.project.configuration.model
        if not name:
            raise UsageError(
                "no model is named",
                'Use --model NAME, or put model = "NAME" into pointsman.toml.',
            )
        return model_name(name)

    @property
    def channel(self) -> str:
        """The channel to work on."""
        from pointsman.names import channel_name

        return channel_name(self.project.configuration.channel)

    def platform(self, named: str | None) -> str:
        """The platform to work on: the one that was named, or else the configured one."""
        return named or self.project.configuration.platform


class _Current:
    """The running command, for the one place that reports its failure."""

    context = Context(Output(), {})
    debug = False


current = _Current()


def with_context(command: Callable[..., None]) -> Callable[..., None]:
    """Turn `command(context, …)` into one that takes the common options instead of a context."""

    @functools.wraps(command)
    def with_options(**arguments: Any) -> None:
        common = {name: arguments.pop(name) for name in _OPTIONS}
        output = Output(as_json=common["json"], quiet=common["quiet"])
        context = Context(output, {name: common[name] for name in _FLAGS})
        current.context = context
        command(context, **arguments)

    own = [
        parameter
        for name, parameter in inspect.signature(command, eval_str=True).parameters.items()
        if name != "context"
    ]
    with_options.__signature__ = inspect.Signature([*own, *_OPTIONS.values()])  # type: ignore[attr-defined]
    return with_options


def _option(name: str, kind: Any, *flags: str, text: str, metavar: str = "") -> inspect.Parameter:
    default = False if kind is bool else None
    option = typer.Option(*flags, help=text, metavar=metavar or None, show_default=False)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


_FLAGS = ("store", "model", "channel", "env")
_OPTIONS = {
    "store": _option(
        "store",
        str | None,
        "--store",
        text="Where models live: a directory, s3://bucket/prefix, r2://… or gs://….",
        metavar="URL",
    ),
    "model": _option(
        "model", str | None, "--model", "-m", text="The model to work on.", metavar="NAME"
    ),
    "channel": _option(
        "channel",
        str | None,
        "--channel",
        "-c",
        text="The channel; default: production.",
        metavar="NAME",
    ),
    "env": _option(
        "env",
        str | None,
        "--env",
        text="The environment: what [env.NAME] of pointsman.toml says differently.",
        metavar="NAME",
    ),
    "json": _option("json", bool, "--json", text="One JSON document on stdout."),
    "quiet": _option("quiet", bool, "--quiet", "-q", text="Only data, warnings and errors."),
    "debug": _option("debug", bool, "--debug", text="Show tracebacks."),
}
