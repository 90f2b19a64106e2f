"""The command as a whole: its subcommands, and the one place where failures become exit codes."""

import os
import sys
from typing import Annotated

import typer

from pointsman_cli.commands import channels, deployments, infra, models, status, upload
from pointsman_cli.commands import predict as predicting
from pointsman_cli.context import current

_EPILOG = (
    "Configuration: pointsman.toml, POINTSMAN_STORE|MODEL|CHANNEL|FLEET, or options. "
    "Exit codes: 0 done, 1 failed, 2 usage, 3 refused by an instance, 4 not confirmed in time, "
    "5 store or provider refused or out of reach, 6 no usable stack, 7 drift, 8 stack locked, "
    "130 interrupted."
)

app = typer.Typer(
    name="pointsman",
    help="Publish ONNX models, serve them, and switch or roll back in about a second.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (upload, models, channels, status, predicting, deployments, infra):
    module.register(app)


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,  # noqa: FBT002 — a flag
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,  # noqa: FBT002
) -> None:
    if debug:
        os.environ["POINTSMAN_DEBUG"] = "1"
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"pointsman {installed('pointsman-cli')}")
        raise typer.Exit


def main() -> None:
    """Run the command; a failure becomes a sentence and an exit code, here and nowhere else."""
    try:
        app()
    except Exception as error:
        if os.environ.get("POINTSMAN_DEBUG"):
            raise
        sys.exit(_explain(error))


def _explain(error: Exception) -> int:
    from pointsman.errors import PointsmanError
    from pointsman_cli.errors import CommandError, exit_code

    if not isinstance(error, PointsmanError):
        error = CommandError(
            f"{type(error).__name__}: {error}",
            "This is a bug in pointsman: `pointsman --debug …` shows where.",
        )
    current.output.error(error)
    return exit_code(error)
