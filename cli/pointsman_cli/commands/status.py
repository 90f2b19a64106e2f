"""`status`: what the channel names, and what every instance makes of it."""

from typing import TYPE_CHECKING, Any

import typer

from pointsman_cli.commands.arguments import PlatformName
from pointsman_cli.context import Context, with_context
from pointsman_cli.units import counted, duration, moment, size

if TYPE_CHECKING:
    from pointsman.channel import Channel
    from pointsman.heartbeat import Instance
    from pointsman_cli.platforms.base import Deployment

_COLUMNS = (
    "instance",
    "serves",
    "status",
    "generation",
    "requests",
    "errors",
    "p50",
    "p99",
    "memory",
    "age",
    "rollback",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


@with_context
def status(context: Context, platform: PlatformName = None) -> None:
    """Show the channel, every instance, and the deployment."""
    from pointsman import fleet
    from pointsman_cli.platforms import standing

    channel = context.registry.channel(context.model, context.channel)
    instances = fleet.instances(context.fleet_store, context.model, context.channel)
    here = standing.deployment(context, platform)
    context.output.result(_document(context, channel, instances, here))
    context.output.data(_headline(context, channel, instances))
    if here is not None:
        standing.tell(context, here)
    if not instances:
        context.output.step("no instance has reported yet; `pointsman deploy` starts one")
        return
    context.output.table(_COLUMNS, [_row(instance, channel) for instance in instances])
    for instance in instances:
        reason = instance.heartbeat.refused or instance.heartbeat.degraded
        if reason:
            context.output.warn(f"{instance.heartbeat.instance}: {reason}")


def _headline(context: Context, channel: "Channel", instances: "list[Instance]") -> str:
    last = channel.history[-1]
    why = f" ({last.why})" if last.why else ""
    live = [instance for instance in instances if instance.live]
    digest = channel.stable.digest
    serving = sum(instance.heartbeat.serving_digest == digest for instance in live)
    followed = f", served by {serving} of {counted(len(live), 'instance')}" if live else ""
    return (
        f"{context.model}/{context.channel} names {channel.stable.version}{followed}; generation "
        f"{channel.generation}, since {moment(last.at)} UTC by {last.by}{why}"
    )


def _document(
    context: Context,
    channel: "Channel",
    instances: "list[Instance]",
    here: "Deployment | None",
) -> dict[str, Any]:
    import msgspec

    return {
        "model": context.model,
        "channel": context.channel,
        "generation": channel.generation,
        "stable": msgspec.to_builtins(channel.stable),
        "deployment": here.document() if here else None,
        "instances": [
            msgspec.to_builtins(instance.heartbeat)
            | {"live": instance.live, "age_seconds": round(instance.age.total_seconds(), 1)}
            for instance in instances
        ],
    }


def _row(instance: "Instance", channel: "Channel") -> list[str]:
    beat = instance.heartbeat
    serving = next((each for each in beat.servables if each.digest == beat.serving_digest), None)
    behind = beat.observed_generation < channel.generation
    return [
        beat.instance,
        beat.serving or "nothing",
        beat.status if instance.live else "stale",
        f"{beat.observed_generation}{', behind' if behind and instance.live else ''}",
        str(serving.requests if serving else 0),
        str(beat.errors),
        duration(serving.p50_seconds if serving else None),
        duration(serving.p99_seconds if serving else None),
        size(beat.rss_bytes),
        duration(instance.age.total_seconds()),
        beat.rollback_readiness or "-",
    ]
