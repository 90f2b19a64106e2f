"""`activate`, `rollback`, `history`: move a channel, and look at how it moved."""

from typing import Annotated

import typer

from pointsman_cli.commands.arguments import DryRun, Keep, NoWait, Sign, Timeout, Why
from pointsman_cli.context import Context, with_context


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: pointsman activate v2 --why 'better on sevens'")(activate)
    app.command(epilog="Example: pointsman rollback --to v1")(rollback)
    app.command()(history)


@with_context
def activate(
    context: Context,
    version: Annotated[str, typer.Argument(help="A published version.")],
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
    from pointsman_cli.moving import Activation, Patience, move

    context.sign_with(sign)
    if dry_run:
        context.registry.version(context.model, version)
        _plan(context, version)
        return
    move(context, Activation(version), why, Patience(wait=not no_wait, seconds=timeout, keep=keep))


@with_context
def rollback(
    context: Context,
    to: Annotated[str | None, typer.Option(help="A version that served before.")] = None,
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
    from pointsman_cli.moving import Patience, Return, move

    context.sign_with(sign)
    if dry_run:
        from pointsman.channel import Author
        from pointsman.channel import rollback as transition

        present = context.registry.channel(context.model, context.channel)
        goal = transition(present, Author(by="", at="", nonce=""), to)
        _plan(context, goal.stable.version)
        return
    move(context, Return(to), why, Patience(wait=not no_wait, seconds=timeout, keep=keep))


@with_context
def history(
    context: Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many changes.")] = 20,
) -> None:
    """List what the channel named, newest first."""
    import msgspec

    channel = context.registry.channel(context.model, context.channel)
    changes = channel.history[::-1][:limit]
    context.output.result([msgspec.to_builtins(change) for change in changes])
    context.output.table(
        ["generation", "version", "action", "when", "by", "why"],
        [
            [
                str(change.generation),
                change.version,
                change.action,
                change.at.replace("T", " ")[:19],
                change.by,
                change.why,
            ]
            for change in changes
        ],
    )


def _plan(context: Context, version: str) -> None:
    from pointsman.errors import NotFound

    try:
        present = context.registry.channel(context.model, context.channel)
    except NotFound:
        present = None
    document = {
        "model": context.model,
        "channel": context.channel,
        "generation": present.generation if present else 0,
        "from": present.stable.version if present else None,
        "to": version,
        "dry_run": True,
    }
    context.output.result(document)
    origin = document["from"] or "nothing"
    context.output.step(f"would move {context.model}/{context.channel} from {origin} to {version}")
