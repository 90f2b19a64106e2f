"""`status`: what the channel names, and what every instance makes of it."""

from typing import TYPE_CHECKING, Any

import typer

from pointsman_cli.context import Context, with_context
from pointsman_cli.output import duration, size

if TYPE_CHECKING:
    from pointsman.channel import Channel
    from pointsman.heartbeat import Instance


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


@with_context
def status(context: Context) -> None:
    """Show the channel and every instance of it."""
    from pointsman import fleet

    channel = context.registry.channel(context.model, context.channel)
    instances = fleet.instances(context.fleet_store, context.model, context.channel)
    context.output.result(_document(context, channel, instances))
    context.output.data(_headline(context, channel))
    if not instances:
        context.output.step("no instance has reported yet; `pointsman deploy` starts one")
        return
    columns = ["instance", "serves", "status", "generation", "requests", "errors", "p50", "p99"]
    context.output.table(
        [*columns, "memory", "seen", "rollback"], [_row(instance) for instance in instances]
    )
    for instance in instances:
        reason = instance.heartbeat.refused or instance.heartbeat.degraded
        if reason:
            context.output.warn(f"{instance.heartbeat.instance}: {reason}")


def _headline(context: Context, channel: "Channel") -> str:
    last = channel.history[-1]
    why = f" ({last.why})" if last.why else ""
    return (
        f"{context.model}/{context.channel} names {channel.stable.version}, generation "
        f"{channel.generation}, since {last.at.replace('T', ' ')[:19]} by {last.by}{why}"
    )


def _document(context: Context, channel: "Channel", instances: list["Instance"]) -> dict[str, Any]:
    import msgspec

    return {
        "model": context.model,
        "channel": context.channel,
        "generation": channel.generation,
        "stable": msgspec.to_builtins(channel.stable),
        "instances": [
            msgspec.to_builtins(instance.heartbeat)
            | {"live": instance.live, "age_seconds": round(instance.age.total_seconds(), 1)}
            for instance in instances
        ],
    }


def _row(instance: "Instance") -> list[str]:
    beat = instance.heartbeat
    serving = next((each for each in beat.servables if each.digest == beat.serving_digest), None)
    return [
        beat.instance,
        beat.serving or "nothing",
        beat.status if instance.live else "stale",
        str(beat.observed_generation),
        str(serving.requests if serving else 0),
        str(beat.errors),
        duration(serving.p50_seconds if serving else None),
        duration(serving.p99_seconds if serving else None),
        size(beat.rss_bytes),
        f"{duration(instance.age.total_seconds())} ago",
        beat.rollback_readiness or "nothing to go to",
    ]
