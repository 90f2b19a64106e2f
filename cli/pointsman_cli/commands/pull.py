"""`models pull`: a version's files, here."""

from pathlib import Path
from typing import Annotated

import typer

from pointsman_cli.context import Context, with_context
from pointsman_cli.units import size


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("pull", epilog="Example: pointsman models pull v2 --to ./model")(pull)


@with_context
def pull(
    context: Context,
    version: Annotated[str, typer.Argument(help="The version.")],
    to: Annotated[
        Path | None, typer.Option(help="A directory; default: MODEL-VERSION, here.")
    ] = None,
) -> None:
    """Fetch a version's files into a directory, verified.

    What is there already is not fetched again; a file with other content is never overwritten.
    """
    from pointsman import pulling
    from pointsman.publishing import Progress

    registry, output = context.registry, context.output
    found = registry.version(context.model, version)
    registry.notary.check_version(registry.store, found)
    directory = to or Path(f"{context.model}-{version}")
    with output.transfer() as transfer:
        progress = Progress(output.step, transfer.expect, transfer.advance)
        pulling.pull(registry.store, found, directory, progress)
    manifest = found.manifest
    output.result(
        {
            "model": manifest.model,
            "version": manifest.version,
            "digest": found.digest,
            "directory": str(directory),
            "entrypoint": manifest.entrypoint,
            "files": [file.path for file in manifest.files],
            "bytes": manifest.size,
        }
    )
    output.success(
        f"{directory} holds {manifest.model} {manifest.version} · {len(manifest.files)} files, "
        f"{size(manifest.size)}, all as published"
    )
