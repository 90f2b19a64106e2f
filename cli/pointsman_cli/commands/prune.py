"""`models prune`: make room, without taking anything that is needed."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.commands.arguments import DryRun
from pointsman_cli.context import Context, with_context
from pointsman_cli.units import size

if TYPE_CHECKING:
    from pointsman.pruning import Pruned


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("prune", epilog="Example: pointsman models prune --keep 5 --dry-run")(prune)


@with_context
def prune(
    context: Context,
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest versions stay.")],
    dry_run: DryRun = False,
) -> None:
    """Remove old versions of the model, and files that no version uses.

    Never removes what a channel names or remembers, nor what is younger than a day.
    """
    from pointsman import pruning
    from pointsman.publishing import author

    store, output = context.registry.store, context.output
    if dry_run:
        pruned = pruning.survey(store, context.model, keep)
    else:
        pruned = pruning.prune(store, context.model, keep, author(), output.step)
    output.result(_document(context.model, pruned, dry_run=dry_run))
    output.table(["version", "", "size", "why"], _rows(pruned, dry_run=dry_run))
    verb = "would free" if dry_run else "freed"
    output.success(
        f"{verb} {size(pruned.garbage.size)}: {len(pruned.removed)} versions, "
        f"{len(pruned.garbage.blobs)} blobs"
    )


def _rows(pruned: "Pruned", *, dry_run: bool) -> list[list[str]]:
    goes = "goes" if dry_run else "removed"
    rows = [
        [each.manifest.version, goes, size(each.manifest.size), "older than those kept"]
        for each in pruned.removed
    ]
    return rows + [
        [each.manifest.version, "stays", size(each.manifest.size), reason]
        for each, reason in pruned.kept
    ]


def _document(model: str, pruned: "Pruned", *, dry_run: bool) -> dict[str, Any]:
    return {
        "model": model,
        "removed": [each.manifest.version for each in pruned.removed],
        "kept": {each.manifest.version: reason for each, reason in pruned.kept},
        "blobs": [info.key.rsplit("/", 1)[-1] for info in pruned.garbage.blobs],
        "freed_bytes": pruned.garbage.size,
        "dry_run": dry_run,
    }
