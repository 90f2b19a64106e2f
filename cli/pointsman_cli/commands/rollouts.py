"""`rollout …`: give a version a share of the requests, and more of them, or none again."""

from typing import TYPE_CHECKING, Annotated

import typer

from pointsman_cli.commands import rollout_auto, rollout_status
from pointsman_cli.commands.arguments import (
    DryRun,
    Keep,
    NoWait,
    Sign,
    Timeout,
    Why,
    whole_percent,
)
from pointsman_cli.commands.groups import group
from pointsman_cli.context import Context, with_context

if TYPE_CHECKING:
    from pathlib import Path

    from pointsman_cli.wishes import Wish

Version = Annotated[str, typer.Argument(metavar="VERSION", help="A published version.")]
Force = Annotated[
    bool, typer.Option("--force", help="Even if it takes or gives other tensors than stable does.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    rollout = group()
    rollout.command(epilog="Example: pointsman rollout start v3 --weight 5")(start)
    rollout.command(
        "set",
        epilog="Example: pointsman rollout set 25",
        # -5 is a weight that cannot be, and no option that nobody knows.
        context_settings={"ignore_unknown_options": True},
    )(set_weight)
    rollout.command()(promote)
    rollout.command()(abort)
    rollout.command(
        epilog="Example: pointsman rollout shadow v3 --percent 10; later: rollout shadow --off"
    )(shadow)
    rollout_auto.register(rollout)
    rollout_status.register(rollout)
    app.add_typer(rollout, name="rollout", help="Give a version some of the requests, then more.")


@with_context
def start(
    context: Context,
    version: Version,
    weight: Annotated[
        str, typer.Option(metavar="PERCENT", help="Of the requests, 0 to 100; 0 only loads it.")
    ] = "5",
    force: Force = False,
    why: Why = "",
    no_wait: NoWait = False,
    timeout: Timeout = 120.0,
    keep: Keep = False,
    sign: Sign = None,
    dry_run: DryRun = False,
) -> None:
    """Start a canary: a version that answers some of the requests.

    Waits until every live instance serves it. If an instance refuses it, it is ended again.
    """
    from pointsman_cli.wishes import Start

    share = whole_percent(weight, "--weight", "--weight 5")
    _move(
        context,
        Start(version, share, force),
        why,
        sign,
        dry_run=dry_run,
        no_wait=no_wait,
        timeout=timeout,
        keep=keep,
    )


@with_context
def set_weight(
    context: Context,
    weight: Annotated[
        str,
        typer.Argument(
            metavar="PERCENT", help="Of the requests, 0 to 100; 0 lets it wait, loaded."
        ),
    ],
    why: Why = "",
    no_wait: NoWait = False,
    timeout: Timeout = 120.0,
    keep: Keep = False,
    sign: Sign = None,
    dry_run: DryRun = False,
) -> None:
    """Give the canary more of the requests, or fewer.

    Even at 100 the stable version stays, to be gone back to: `promote` ends the rollout.
    """
    from pointsman_cli.wishes import Weight

    wish = Weight(whole_percent(weight, "the weight", "rollout set 25"))
    _move(context, wish, why, sign, dry_run=dry_run, no_wait=no_wait, timeout=timeout, keep=keep)


@with_context
def promote(
    context: Context,
    why: Why = "",
    no_wait: NoWait = False,
    timeout: Timeout = 120.0,
    keep: Keep = False,
    sign: Sign = None,
    dry_run: DryRun = False,
) -> None:
    """Make the canary stable: it answers all requests from now on."""
    from pointsman_cli.wishes import Promotion

    _move(
        context,
        Promotion(),
        why,
        sign,
        dry_run=dry_run,
        no_wait=no_wait,
        timeout=timeout,
        keep=keep,
    )


@with_context
def abort(
    context: Context,
    why: Why = "",
    no_wait: NoWait = False,
    timeout: Timeout = 120.0,
    sign: Sign = None,
    dry_run: DryRun = False,
) -> None:
    """End the canary: the stable version answers all requests again.

    `pointsman rollback` does the same while a canary runs.
    """
    from pointsman_cli.wishes import Abortion

    _move(
        context, Abortion(), why, sign, dry_run=dry_run, no_wait=no_wait, timeout=timeout, keep=True
    )


@with_context
def shadow(
    context: Context,
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="A published version.")
    ] = None,
    percent: Annotated[
        str, typer.Option(metavar="PERCENT", help="Of the requests, 1 to 100.")
    ] = "10",
    off: Annotated[bool, typer.Option("--off", help="End the shadow.")] = False,
    force: Force = False,
    why: Why = "",
    no_wait: NoWait = False,
    timeout: Timeout = 120.0,
    keep: Keep = False,
    sign: Sign = None,
    dry_run: DryRun = False,
) -> None:
    """Let a version compute along, unseen, and compare what it would have answered.

    Its answers reach nobody, and no answer waits for it: `rollout status` shows how they differ.
    """
    from pointsman_cli.errors import UsageError
    from pointsman_cli.wishes import Shadowing

    if off == (version is not None):
        raise UsageError(
            "a shadow is either started or ended",
            "`pointsman rollout shadow VERSION` starts one, `pointsman rollout shadow --off` ends "
            "it.",
        )
    wish = Shadowing(version, whole_percent(percent, "--percent", "--percent 10", least=1), force)
    _move(context, wish, why, sign, dry_run=dry_run, no_wait=no_wait, timeout=timeout, keep=keep)


def _move(
    context: Context,
    wish: "Wish",
    why: str,
    sign: "Path | None",
    *,
    dry_run: bool,
    no_wait: bool,
    timeout: float,
    keep: bool,
) -> None:
    from pointsman_cli.moving import Patience, move
    from pointsman_cli.plans import plan

    context.sign_with(sign)
    if dry_run:
        plan(context, wish)
        return
    move(context, wish, why, Patience(wait=not no_wait, seconds=timeout, keep=keep))
