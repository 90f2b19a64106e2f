"""`models verify`: whether the store still holds what it promised."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.context import Context, with_context
from pointsman_cli.units import size

if TYPE_CHECKING:
    from pointsman.integrity import Verified


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("verify", epilog="Example: pointsman models verify --all")(verify)


@with_context
def verify(
    context: Context,
    version: Annotated[str, typer.Argument(help="One version.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All versions of the model.")] = False,
) -> None:
    """Read every byte in the store and compare it with what was published.

    Also follows what channels name and, where public keys are configured, checks signatures.
    Ends with 1 when anything is damaged or missing.
    """
    from pointsman import integrity
    from pointsman.publishing import Progress
    from pointsman_cli.errors import CommandError, UsageError

    if bool(version) == everything:
        raise UsageError("name either a version or --all", "E.g. pointsman models verify --all")
    registry, output = context.registry, context.output
    with output.transfer() as transfer:
        progress = Progress(output.step, transfer.expect, transfer.advance)
        found = integrity.verify(
            registry.store, context.model, registry.notary, version or None, progress
        )
    document = _document(context.model, found)
    _table(context, found)
    if found.damage:
        raise CommandError(
            f"{len(found.damage)} of what {context.model} needs is damaged or missing",
            "Publish the same files again: that restores blobs; delete damaged ones before.",
            document,
        )
    output.result(document)
    checked = f"{len(found.versions)} version{'' if len(found.versions) == 1 else 's'}"
    output.success(f"{checked}, {found.blobs} blobs, {size(found.size)}: all as published")


def _document(model: str, found: "Verified") -> dict[str, Any]:
    return {
        "model": model,
        "versions": list(found.versions),
        "blobs": found.blobs,
        "bytes": found.size,
        "damage": [
            {
                "key": each.key,
                "fault": str(each.fault),
                "meaning": each.meaning,
                "versions": list(each.versions),
            }
            for each in found.damage
        ],
    }


def _table(context: Context, found: "Verified") -> None:
    if found.damage:
        context.output.table(
            ["fault", "what", "versions", "object"],
            [
                [str(each.fault), each.meaning, ", ".join(each.versions), each.key]
                for each in found.damage
            ],
        )
