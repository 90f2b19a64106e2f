"""`status`: what the channel names, and what every instance makes of it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.commands.arguments import PlatformName
from pointsman_cli.context import Context, with_context
from pointsman_cli.units import counted, duration, moment, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pointsman.channel import Channel
    from pointsman.heartbeat import Heartbeat, Instance
    from pointsman_cli.platforms.base import Deployment
    from pointsman_cli.readiness import Readiness

_IMAGE_TAIL = 24

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
    "image",
    "rollback",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


@with_context
def status(
    context: Context,
    platform: PlatformName = None,
    cost: Annotated[
        bool, typer.Option("--cost", help="Say what looking and reporting cost a month.")
    ] = False,
) -> None:
    """Show the channel, every instance, and the deployment.

    Says how requests are shared among versions, how each has been answering, and whether a
    rollback would find its version: in memory, on disk, in the store, or not at all.
    """
    from pointsman import fleet, heartbeat
    from pointsman_cli import cost as costs
    from pointsman_cli import readiness
    from pointsman_cli.platforms import standing

    channel = context.registry.channel(context.model, context.channel)
    instances = fleet.instances(context.fleet_store, context.model, context.channel)
    here = standing.deployment(context, platform)
    beating = heartbeat.live(instances)
    ready = readiness.readiness(context.registry, context.model, channel)
    following = costs.of(beating, hurried=channel.canary is not None)
    document = _document(context, channel, instances, here)
    document |= _shared(channel, beating) | {"rollback": ready.document()}
    context.output.result(document | ({"cost": following.document()} if cost else {}))
    context.output.data(_headline(context, channel, instances))
    if here is not None:
        standing.tell(context, here)
    _tell_instances(context, channel, instances, ready)
    if cost:
        context.output.data(following.sentence())


def _tell_instances(
    context: Context, channel: "Channel", instances: "list[Instance]", ready: "Readiness"
) -> None:
    from pointsman_cli import shares

    if not instances:
        context.output.step("no instance has reported yet; `pointsman deploy` starts one")
        return
    beating = [instance.heartbeat for instance in instances if instance.live]
    context.output.table(*shares.rows(channel, beating, waiting=True))
    rows = [_row(instance, channel, ready.trouble) for instance in instances]
    context.output.table(*_without_empty_column(_COLUMNS, rows, "image"))
    context.output.data(ready.sentence(beating))
    for instance in instances:
        for trouble in _troubles(instance.heartbeat):
            context.output.warn(f"{instance.heartbeat.instance}: {trouble}")


def _without_empty_column(
    columns: tuple[str, ...], rows: list[list[str]], name: str
) -> tuple[list[str], list[list[str]]]:
    """Leave out a column in which nobody has anything to say."""
    place = columns.index(name)
    if any(row[place] != "-" for row in rows):
        return [*columns], rows
    kept = [index for index in range(len(columns)) if index != place]
    return [columns[index] for index in kept], [[row[index] for index in kept] for row in rows]


def _troubles(beat: "Heartbeat") -> "Iterator[str]":
    """Yield what an instance has to complain of; what was told is not told again."""
    told, bake = beat.refused or beat.degraded, beat.bake
    if told:
        yield told
    if beat.canary_refused and beat.canary_refused not in told:
        yield beat.canary_refused
    if bake is not None and bake.reason and bake.reason not in told:
        did = "went" if bake.state == "returned" else "should have gone"
        yield f"{did} back from {bake.version}: {bake.reason}"


def _headline(context: Context, channel: "Channel", instances: "list[Instance]") -> str:
    last = channel.history[-1]
    why = f" ({last.why})" if last.why else ""
    live = [instance for instance in instances if instance.live]
    digest = channel.stable.digest
    serving = sum(instance.heartbeat.serving_digest == digest for instance in live)
    followed = f", served by {serving} of {counted(len(live), 'instance')}" if live else ""
    canary = channel.canary
    beside = f", and {canary.version} for {canary.weight} % of the requests" if canary else ""
    return (
        f"{context.model}/{context.channel} names {channel.stable.version}{beside}{followed}; "
        f"generation {channel.generation}, since {moment(last.at)} UTC by {last.by}{why}"
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
        "canary": msgspec.to_builtins(channel.canary),
        "shadow": msgspec.to_builtins(channel.shadow),
        "deployment": here.document() if here else None,
        "instances": [
            msgspec.to_builtins(instance.heartbeat)
            | {"live": instance.live, "age_seconds": round(instance.age.total_seconds(), 1)}
            for instance in instances
        ],
    }


def _shared(channel: "Channel", beating: "list[Heartbeat]") -> dict[str, Any]:
    from pointsman_cli import shares

    return {"versions": shares.document(channel, beating, waiting=True)}


def _row(instance: "Instance", channel: "Channel", trouble: str) -> list[str]:
    from pointsman_cli import readiness

    beat = instance.heartbeat
    serving = next((each for each in beat.servables if each.digest == beat.serving_digest), None)
    behind = beat.observed_generation < channel.generation
    return [
        beat.instance,
        beat.serving or "nothing",
        beat.status if instance.live or instance.asleep else "stale",
        f"{beat.observed_generation}{', behind' if behind and instance.live else ''}",
        str(serving.requests if serving else 0),
        str(beat.errors),
        duration(serving.p50_seconds if serving else None),
        duration(serving.p99_seconds if serving else None),
        size(beat.rss_bytes),
        duration(round(instance.age.total_seconds(), 1)),
        beat.image.rpartition("/")[2][-_IMAGE_TAIL:] or "-",
        readiness.here(beat, trouble),
    ]
