"""`models lift`: let the fleet try a version again that an instance had to go back from."""

from typing import TYPE_CHECKING, Annotated

import typer

from pointsman_cli.commands.arguments import DryRun
from pointsman_cli.context import Context, with_context
from pointsman_cli.units import moment

if TYPE_CHECKING:
    from pointsman.quarantine import Mark


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("lift", epilog="Example: pointsman models lift v7")(lift)


@with_context
def lift(
    context: Context,
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="Which one; default: show all.")
    ] = "",
    dry_run: DryRun = False,
) -> None:
    """Lift the quarantine of a version, or show what is in quarantine and why.

    An instance that had to go back from a version shortly after a switch marks it, where
    POINTSMAN_QUARANTINE allows that; no instance loads it from then on.
    """
    from pointsman import quarantine

    store, output = context.registry.store, context.output
    marks = list(quarantine.marks(store, context.model))
    if not version:
        _show(context, marks)
        return
    digest = next((mark.digest for mark in marks if mark.version == version), "")
    # A mark that cannot be read is one all the same, and the version's digest leads to it.
    digest = digest or context.registry.version(context.model, version).digest
    if not dry_run:
        quarantine.lift(store, context.model, version, digest)
    output.result(
        {"model": context.model, "version": version, "digest": digest, "dry_run": dry_run}
    )
    if dry_run:
        output.success(f"would lift the quarantine of {context.model} {version}")
        return
    output.success(f"{context.model} {version} is no longer in quarantine")
    output.step(
        f"Instances that refused it try it again at the next change of their channel: "
        f"`pointsman activate {version}`."
    )


def _show(context: Context, marks: "list[Mark]") -> None:
    import msgspec

    context.output.result(msgspec.to_builtins(marks))
    if not marks:
        context.output.step(f"no version of {context.model} is in quarantine")
        return
    rows = [[mark.version, moment(mark.at)[:16], mark.by, mark.why] for mark in marks]
    context.output.table(["version", "since (UTC)", "by", "why"], rows)
