"""`models prune`: make room, without taking anything that is needed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.commands.arguments import DryRun
from pointsman_cli.context import Context, with_context
from pointsman_cli.units import counted, size

if TYPE_CHECKING:
    from pointsman.pruning import Pruned
    from pointsman.stores.base import ObjectInfo


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("prune", epilog="Example: pointsman models prune --keep 5 --dry-run")(prune)


@with_context
def prune(
    context: Context,
    keep: Annotated[
        int, typer.Option(min=1, metavar="COUNT", help="How many of the newest versions stay.")
    ],
    dry_run: DryRun = False,
) -> None:
    """Remove old versions of the model, files that no version uses, and lost heartbeats.

    Never removes what a channel names or remembers, nor what is younger than a day. An instance's
    heartbeat is lost when it has been silent for a week.
    """
    from pointsman import pruning
    from pointsman.authorship import author

    store, output = context.registry.store, context.output
    if dry_run:
        pruned = pruning.survey(store, context.model, keep)
    else:
        context.stands("What was removed until now is gone; pruning again removes the rest.")
        pruned = pruning.prune(store, context.model, keep, author(), output.step)
    lost = _forget_lost(context, dry_run=dry_run)
    output.result(_document(context.model, pruned, lost, dry_run=dry_run))
    output.table(["version", "", "size", "why"], _rows(pruned, dry_run=dry_run))
    verb = "would free" if dry_run else "freed"
    output.success(
        f"{verb} {size(pruned.garbage.size)}: {counted(len(pruned.removed), 'version')}, "
        f"{counted(len(pruned.garbage.blobs), 'blob')}, {counted(len(lost), 'lost heartbeat')}"
    )


def _forget_lost(context: Context, *, dry_run: bool) -> "list[ObjectInfo]":
    """Remove lost heartbeats and return them; credentials that may not do it are warned of."""
    from pointsman import fleet
    from pointsman.errors import StoreDenied

    store = context.fleet_store
    try:
        lost = fleet.lost(store, context.model)
        for info in () if dry_run else lost:
            context.output.step(f"removing {info.key}")
            store.delete(info.key)
    except StoreDenied as error:
        context.output.warn(f"lost heartbeats stay: {error.message}")
        return []
    return lost


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


def _document(
    model: str, pruned: "Pruned", lost: "Sequence[ObjectInfo]", *, dry_run: bool
) -> dict[str, Any]:
    return {
        "model": model,
        "removed": [each.manifest.version for each in pruned.removed],
        "kept": {each.manifest.version: reason for each, reason in pruned.kept},
        "blobs": [info.key.rsplit("/", 1)[-1] for info in pruned.garbage.blobs],
        "lost_heartbeats": [info.key for info in lost],
        "freed_bytes": pruned.garbage.size,
        "dry_run": dry_run,
    }
