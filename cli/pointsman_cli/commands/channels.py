"""`activate`, `rollback`, `history`: move a channel, and look at how it moved."""

from typing import TYPE_CHECKING, Annotated

import typer

from pointsman_cli.commands.arguments import PlatformName, Version, seconds
from pointsman_cli.commands.terms import Terms, with_terms
from pointsman_cli.context import Context, with_context
from pointsman_cli.units import counted, moment

if TYPE_CHECKING:
    from pointsman.channel import Change


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: pointsman activate v2 --why 'better on sevens'")(activate)
    app.command(epilog="Example: pointsman rollback --to v1")(rollback)
    app.command()(history)


@with_context
@with_terms
def activate(context: Context, version: Version, terms: Terms) -> None:
    """Make a version serve, on every instance.

    Waits until every live instance says that it does. If an instance refuses it, the channel
    goes back to what it named before.
    """
    from pointsman_cli import tensor_change
    from pointsman_cli.wishes import Activation

    manifest = context.registry.version(context.model, version).manifest
    if (before := tensor_change.active(context)) is not None:
        tensor_change.warn(context, before, manifest)
    terms.carry_out(context, Activation(version))


@with_context
@with_terms
def rollback(
    context: Context,
    terms: Terms,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION", help="A version that served before; with --image, an image."
        ),
    ] = None,
    image: Annotated[
        bool, typer.Option("--image", help="Go back to the image before, and leave the version.")
    ] = False,
    platform: PlatformName = None,
    min_healthy: Annotated[
        str, typer.Option(metavar="TIME", help="How long it must have been active: 10m, 2h, 0.")
    ] = "10m",
) -> None:
    """Go back to the version that served before.

    While a canary runs, that ends the canary, and nothing else. Otherwise it goes to the last
    version that stayed for --min-healthy, or to the one before if none did. Waits until every
    live instance says that it is back. Rolling back twice goes further back; it never returns
    to what was rolled back from.
    With --image it is the platform that goes back, to the release before; the model stays.
    """
    if image:
        from pointsman_cli.deploying import go_back

        go_back(context, platform, to or "", terms.timeout, dry_run=terms.dry_run)
        return
    from pointsman_cli.wishes import Return

    if to is not None:
        from pointsman.names import version_name

        version_name(to)
    terms.carry_out(context, Return(to, seconds(min_healthy, "--min-healthy")))


@with_context
def history(
    context: Context,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, metavar="COUNT", help="How many changes.")
    ] = 20,
) -> None:
    """List what the channel named, newest first.

    The version is the stable one; a canary stands beside it with its share.
    """
    import msgspec

    channel = context.registry.channel(context.model, context.channel)
    changes = channel.history[::-1][:limit]
    # Every member of every change, also those that the store's document leaves out.
    context.output.result(
        [msgspec.to_builtins(msgspec.structs.asdict(change)) for change in changes]
    )
    context.output.table(
        ["generation", "version", "beside", "action", "when (UTC)", "by", "why"],
        [
            [
                str(change.generation),
                change.version,
                _beside(change),
                change.action + (", leaving a refused one" if change.discards else ""),
                moment(change.at),
                _who(change),
                change.why,
            ]
            for change in changes
        ],
    )
    if earlier := len(channel.history) - len(changes):
        context.output.step(f"and {counted(earlier, 'earlier change')}; --limit shows more")


def _beside(change: "Change") -> str:
    canary, shadow = change.canary, change.shadow
    parts = [f"{canary.version} at {canary.weight} %"] if canary else []
    parts += [f"shadow {shadow.version}"] if shadow else []
    return ", ".join(parts) or "-"


def _who(change: "Change") -> str:
    """Name who and from where; who did not say otherwise is called user@host already."""
    known = not change.host or change.by.endswith(f"@{change.host}")
    return change.by if known else f"{change.by} on {change.host}"
