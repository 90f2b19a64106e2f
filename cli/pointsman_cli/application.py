"""The command as a whole: which subcommands there are, and what `--help` says of them."""

from typing import Annotated

import typer

from pointsman_cli.commands import (
    channels,
    deployments,
    doctor,
    images,
    infra,
    init,
    keys,
    models,
    rollouts,
    status,
    upload,
)
from pointsman_cli.commands import predict as predicting

_EPILOG = (
    "Configuration: pointsman.toml, POINTSMAN_STORE|MODEL|CHANNEL|FLEET, or options; the last "
    "named wins. Exit codes: 0 done, 1 failed, 2 usage, 3 refused by an instance, 4 not confirmed "
    "in time, 5 store or provider refused or out of reach, 6 no usable stack, 7 drift, "
    "8 stack locked, 9 deployed but unverified, 10 deployment failed, 130 interrupted."
)

app = typer.Typer(
    name="pointsman",
    help="Publish ONNX models, serve them, and switch or roll back in about a second.",
    epilog=_EPILOG,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    init,
    upload,
    models,
    channels,
    rollouts,
    status,
    predicting,
    images,
    deployments,
    doctor,
    keys,
    infra,
):
    module.register(app)


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,  # noqa: FBT002 — a flag
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,  # noqa: ARG001, FBT002 — read by `main`
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"pointsman {installed('pointsman-cli')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
