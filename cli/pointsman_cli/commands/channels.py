"""`activate`, `rollback`, `history`: move a channel, and look at how it moved."""

from typing import TYPE_CHECKING, Annotated

import typer

from pointsman_cli.commands.arguments import DryRun, Keep, NoWait, Sign, Timeout, Why
from pointsman_cli.context import Context, with_context
from pointsman_cli.units import moment

if TYPE_CHECKING:
    from pointsman.channel import Channel


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: pointsman activate v2 --why 'better on sevens'")(activate)
    app.command(epilog="Example: pointsman rollback --to v1")(rollback)
    app.command()(history)


@with_context
def activate(
    context: Context,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A published version.")],
    why: Why = "",
    no_wait: NoWait = False,
    timeout: Timeout = 120.0,
    keep: Keep = False,
    sign: Sign = None,
    dry_run: DryRun = False,
) -> None:
    """Make a version serve, on every instance.

    Waits until every live instance says that it does. If an instance refuses it, the channel
    goes back to what it named before.
    """
    from pointsman_cli.moves import Activation, present
    from pointsman_cli.moving import Patience, move

    context.sign_with(sign)
    if dry_run:
        context.registry.version(context.model, version)
        _plan(context, present(context), version)
        return
    move(context, Activation(version), why, Patience(wait=not no_wait, seconds=timeout, keep=keep))


@with_context
def rollback(
    context: Context,
    to: Annotated[
        str | None, typer.Option(metavar="VERSION", help="A version that served before.")
    ] = None,
    why: Why = "",
    no_wait: NoWait = False,
    timeout: Timeout = 120.0,
    keep: Keep = False,
    sign: Sign = None,
    dry_run: DryRun = False,
) -> None:
    """Go back to the version that served before.

    Waits until every live instance says that it is back. Rolling back twice goes further
    back; it never returns to what was rolled back from.
    """
    from pointsman_cli.moves import Return
    from pointsman_cli.moving import Patience, move

    context.sign_with(sign)
    if to is not None:
        from pointsman.names import version_name

        version_name(to)
    if dry_run:
        from pointsman.channel import Author
        from pointsman.channel import rollback as transition

        present = context.registry.channel(context.model, context.channel)
        goal = transition(present, Author(by="", at="", nonce=""), to)
        _plan(context, present, goal.stable.version)
        return
    move(context, Return(to), why, Patience(wait=not no_wait, seconds=timeout, keep=keep))


@with_context
def history(
    context: Context,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, metavar="COUNT", help="How many changes.")
    ] = 20,
) -> None:
    """List what the channel named, newest first."""
    import msgspec

    channel = context.registry.channel(context.model, context.channel)
    changes = channel.history[::-1][:limit]
    context.output.result([msgspec.to_builtins(change) for change in changes])
    context.output.table(
        ["generation", "version", "action", "when (UTC)", "by", "why"],
        [
            [
                str(change.generation),
                change.version,
                change.action,
                moment(change.at),
                change.by,
                change.why,
            ]
            for change in changes
        ],
    )


def _plan(context: Context, present: "Channel | None", version: str) -> None:
    origin = present.stable.version if present else None
    channel = f"{context.model}/{context.channel}"
    sentence = (
        f"leave {channel} at {version}, which it names already"
        if origin == version
        else f"move {channel} from {origin or 'nothing'} to {version}"
    )
    context.output.result(
        {
            "model": context.model,
            "channel": context.channel,
            "generation": present.generation if present else 0,
            "from": origin,
            "to": version,
            "dry_run": True,
            "plan": [sentence],
        }
    )
    context.output.data(sentence)
