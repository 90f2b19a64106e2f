"""`rollout auto`: from the first few requests to all of them, as long as nothing gets worse."""

from typing import Annotated

import typer

from pointsman_cli.commands.arguments import (
    DryRun,
    Force,
    Sign,
    Timeout,
    Version,
    Why,
    number,
    seconds,
    share,
    whole_percent,
)
from pointsman_cli.context import Context, with_context


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: pointsman rollout auto v3 --steps 5,25,50,100 --every 60s")(auto)


@with_context
def auto(
    context: Context,
    version: Version,
    steps: Annotated[
        str,
        typer.Option(metavar="PERCENT,…", help="Rising weights; a last 100 makes it stable."),
    ] = "5,25,50,100",
    every: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="How long each step is watched: 60s, 10m; instances report every 5 s.",
        ),
    ] = "60s",
    max_error_rate: Annotated[
        str, typer.Option(metavar="PERCENT", help="Of its requests may fail: 1%, 0.1%.")
    ] = "1%",
    max_p99: Annotated[
        str,
        typer.Option(metavar="LIMIT", help="Its 99th percentile: 1.5x that of stable, or 250ms."),
    ] = "1.5x",
    min_requests: Annotated[
        int,
        typer.Option(min=0, metavar="COUNT", help="How many it has to answer at every step."),
    ] = 20,
    force: Force = False,
    why: Why = "",
    timeout: Timeout = 120.0,
    sign: Sign = None,
    dry_run: DryRun = False,
) -> None:
    """Give a version more and more of the requests, by itself.

    Goes on where a canary of this version stands already. Returns everything to the stable
    version when a limit is broken, when an answer holds NaN or infinity, when outputs collapse
    to a constant, or when an instance refuses the version; exit code 3 then. Too few requests,
    or a store that does not answer, make it wait. Ctrl-C leaves the weight where it is; the same
    command goes on from there.
    """
    from pointsman_cli.automation import Automation, Schedule
    from pointsman_cli.guard import Limits
    from pointsman_cli.moving import Patience

    context.sign_with(sign)
    factor, absolute = _latency(max_p99)
    schedule = Schedule(
        version=version,
        steps=_steps(steps),
        every_seconds=_watching(every),
        limits=Limits(
            error_rate=share(max_error_rate, "--max-error-rate"),
            p99_factor=factor,
            p99_seconds=absolute,
            least_requests=min_requests,
        ),
        why=why,
        force=force,
    )
    automation = Automation(context, schedule, Patience(wait=True, seconds=timeout, keep=True))
    context.registry.version(context.model, version)
    channel = context.registry.channel(context.model, context.channel)
    if dry_run:
        automation.tell_plan(channel)
    else:
        automation.run(channel)


def _steps(text: str) -> tuple[int, ...]:
    from pointsman_cli.errors import UsageError

    example = "--steps 5,25,50,100"
    steps = tuple(
        whole_percent(each.strip(), "--steps", example, least=1) for each in text.split(",")
    )
    if list(steps) != sorted(set(steps)):
        raise UsageError(f"--steps {text} does not rise", f"E.g. {example}.")
    return steps


def _watching(text: str) -> float:
    from pointsman_cli.errors import UsageError

    watched = seconds(text, "--every")
    if watched == 0:
        raise UsageError(
            f"--every {text} watches nothing", "Each step has to be watched, e.g. --every 60s."
        )
    return watched


def _latency(text: str) -> tuple[float | None, float | None]:
    """Read `1.5x` as a factor, and `250ms` or `2s` as seconds."""
    from pointsman_cli.errors import UsageError

    for suffix, unit in (("x", None), ("ms", 0.001), ("s", 1.0)):
        if text.endswith(suffix):
            try:
                value = number(text.removesuffix(suffix))
            except ValueError:
                break
            if value > 0:
                return (value, None) if unit is None else (None, value * unit)
    raise UsageError(
        f"--max-p99 {text!r} is neither a multiple nor a time", "E.g. --max-p99 1.5x, or 250ms."
    )
