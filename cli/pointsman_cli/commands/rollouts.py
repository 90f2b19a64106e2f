"""`rollout …`: give a version a share of the requests, and more of them, or none again."""

from functools import partial
from typing import Annotated

import typer

from pointsman_cli.commands import rollout_auto, rollout_status
from pointsman_cli.commands.arguments import Force, Version, whole_percent
from pointsman_cli.commands.groups import group
from pointsman_cli.commands.terms import Terms, with_terms
from pointsman_cli.context import Context, with_context


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
@with_terms
def start(
    context: Context,
    version: Version,
    terms: Terms,
    weight: Annotated[
        str, typer.Option(metavar="PERCENT", help="Of the requests, 0 to 100; 0 only loads it.")
    ] = "5",
    force: Force = False,
) -> None:
    """Start a canary: a version that answers some of the requests.

    Waits until every live instance serves it. If an instance refuses it, it is ended again.
    """
    from pointsman_cli.wishes import Start

    share = whole_percent(weight, "--weight", "--weight 5")
    terms.carry_out(context, Start(version, share, force))


@with_context
@with_terms
def set_weight(
    context: Context,
    weight: Annotated[
        str,
        typer.Argument(
            metavar="PERCENT", help="Of the requests, 0 to 100; 0 lets it wait, loaded."
        ),
    ],
    terms: Terms,
) -> None:
    """Give the canary more of the requests, or fewer.

    Even at 100 the stable version stays, to be gone back to: `promote` ends the rollout.
    """
    from pointsman_cli.wishes import Weight

    share = whole_percent(weight, "the weight", "`pointsman rollout set 25`")
    terms.carry_out(context, Weight(share))


@with_context
@with_terms
def promote(context: Context, terms: Terms) -> None:
    """Make the canary stable: it answers all requests from now on."""
    from pointsman_cli.wishes import Promotion

    terms.carry_out(context, Promotion())


@with_context
@partial(with_terms, but="keep")
def abort(context: Context, terms: Terms) -> None:
    """End the canary: the stable version answers all requests again.

    `pointsman rollback` does the same while a canary runs.
    """
    from pointsman_cli.wishes import Abortion

    terms.carry_out(context, Abortion())


@with_context
@with_terms
def shadow(
    context: Context,
    terms: Terms,
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="A published version.")
    ] = None,
    percent: Annotated[
        str, typer.Option(metavar="PERCENT", help="Of the requests, 1 to 100.")
    ] = "10",
    off: Annotated[bool, typer.Option("--off", help="End the shadow.")] = False,
    force: Force = False,
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
    share = whole_percent(percent, "--percent", "--percent 10", least=1)
    terms.carry_out(context, Shadowing(version, share, force))
