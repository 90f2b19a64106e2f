"""`rollout status`: how canary and shadow compare with what is stable."""

from typing import TYPE_CHECKING, Any

import typer

from pointsman_cli.context import Context, with_context

if TYPE_CHECKING:
    from pointsman.heartbeat import Heartbeat


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


@with_context
def status(context: Context) -> None:
    """Show stable, canary and shadow: their shares, and how each has been answering."""
    from pointsman import fleet, heartbeat
    from pointsman_cli.shares import document, rows, sentence

    channel = context.registry.channel(context.model, context.channel)
    beating = heartbeat.live(fleet.instances(context.fleet_store, context.model, context.channel))
    context.output.result(
        {
            "model": context.model,
            "channel": context.channel,
            "generation": channel.generation,
            "instances": len(beating),
            "versions": document(channel, beating),
            "refusals": _refusals(beating),
        }
    )
    context.output.data(f"{context.model}/{context.channel} {sentence(channel)}")
    columns, cells = rows(channel, beating)
    context.output.table(columns, cells)
    for refusal in _refusals(beating):
        context.output.warn(f"{refusal['id']}: {refusal['reason']}")
    if channel.canary is None and channel.shadow is None:
        context.output.step("`pointsman rollout start VERSION --weight 5` starts a canary")


def _refusals(beating: "list[Heartbeat]") -> list[dict[str, Any]]:
    return [
        {"id": beat.instance, "reason": beat.canary_refused}
        for beat in beating
        if beat.canary_refused
    ]
