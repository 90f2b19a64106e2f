"""Groups of commands: named alone, a group explains itself."""

import typer


def group() -> typer.Typer:
    """Return an empty group."""
    made = typer.Typer()
    made.callback(invoke_without_command=True)(_explain)
    return made


def _explain(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
