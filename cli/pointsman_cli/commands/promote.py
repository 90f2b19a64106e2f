"""`models promote`: what was tried in one place serves in another, by digest."""

from typing import Annotated

import typer

from pointsman_cli.commands.arguments import DryRun, Keep, NoWait, Sign, Timeout, Why
from pointsman_cli.context import Context, current, with_context


def register(group: typer.Typer) -> None:
    """Add the command."""
    example = "pointsman models promote digits@v2 --from staging --to production"
    group.command("promote", epilog=f"Example: {example}")(promote)


@with_context
def promote(
    context: Context,
    version: Annotated[
        str | None,
        typer.Argument(metavar="MODEL@VERSION", help="Default: what --from serves now."),
    ] = None,
    from_: Annotated[
        str, typer.Option("--from", metavar="PLACE", help="An environment, or a channel.")
    ] = "staging",
    to: Annotated[
        str, typer.Option("--to", metavar="PLACE", help="An environment, or a channel.")
    ] = "production",
    why: Why = "",
    no_wait: NoWait = False,
    timeout: Timeout = 120.0,
    keep: Keep = False,
    sign: Sign = None,
    dry_run: DryRun = False,
) -> None:
    """Make what one channel serves serve in another, by its digest.

    Where the other is in another store, the version is copied there first: the bytes that are
    missing, and all signatures. Then it is activated there, as `activate` does.
    """
    from pointsman_cli.moving import Patience, move
    from pointsman_cli.promotion import promotion
    from pointsman_cli.wishes import Activation

    context.sign_with(sign)
    promoted = promotion(context, version, from_, to)
    target, name = promoted.target, promoted.version.manifest.version
    current.context = target  # what is said after Ctrl-C is about that place
    if dry_run:
        steps = promoted.plan()
        context.output.result({"dry_run": True, "plan": steps, "to": name})
        context.output.data("\n".join(steps))
        return
    promoted.copy()
    patience = Patience(wait=not no_wait, seconds=timeout, keep=keep)
    move(target, Activation(name), why or f"promoted from {from_}", patience)
