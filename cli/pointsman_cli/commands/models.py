"""The group `models`, and of it `list` and `show`: what there is to serve."""

import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.commands import diff, lift, promote, prune, pull, verify
from pointsman_cli.commands.groups import group
from pointsman_cli.context import Context, with_context
from pointsman_cli.units import duration, moment, size

if TYPE_CHECKING:
    from pointsman.manifest import Manifest, Version
    from pointsman_cli.catalogue import Entry

_CELL_CHARACTERS = 60


def register(app: typer.Typer) -> None:
    """Add the group."""
    models = group()
    models.command("list")(list_)
    models.command("show")(show)
    for module in (diff, pull, promote, verify, prune, lift):
        module.register(models)
    app.add_typer(models, name="models", help="What there is to serve.")


@with_context
def list_(
    context: Context,
    name: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="One model; default: all of them.")
    ] = None,
) -> None:
    """List models and their versions, newest last."""
    from pointsman_cli.catalogue import catalogue

    model = context.flags["model"] if name is None else name
    entries = catalogue(context.registry, model)
    context.output.result([_summary(entry) for entry in entries])
    if not entries:
        context.output.step(
            f"{context.registry.store.url} holds no models yet; `pointsman upload-model` adds one."
        )
        return
    context.output.table(
        ["model", "version", "published (UTC)", "size", "metrics", "active in", "note"],
        [_row(entry) for entry in entries],
    )
    for entry in entries:
        if entry.trouble:
            context.output.warn(entry.trouble)


@with_context
def show(
    context: Context,
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="Default: the active one.")
    ] = None,
) -> None:
    """Show all that is known of a version."""
    import msgspec

    if version is None:
        version = context.registry.channel(context.model, context.channel).stable.version
    found = context.registry.version(context.model, version)
    document = {"digest": found.digest} | msgspec.json.decode(found.document)
    context.output.result(document)
    context.output.table([], _facts(found))


def _summary(entry: "Entry") -> dict[str, Any]:
    summary: dict[str, Any] = {"model": entry.model, "version": entry.name}
    if entry.version is None:
        return summary | {"unreadable": entry.trouble, "active_in": entry.active_in}
    manifest = entry.version.manifest
    return summary | {
        "digest": entry.version.digest,
        "created": manifest.created,
        "bytes": manifest.size,
        "metrics": manifest.metrics,
        "labels": manifest.labels,
        "note": manifest.note,
        "active_in": entry.active_in,
    }


def _row(entry: "Entry") -> list[str]:
    active = ", ".join(entry.active_in)
    if entry.version is None:
        return [entry.model, entry.name, "unreadable", "", "", active, ""]
    manifest = entry.version.manifest
    return [
        manifest.model,
        manifest.version,
        moment(manifest.created)[:16],
        size(manifest.size),
        _short(_metrics(manifest)),
        active,
        _short(manifest.note),
    ]


def _metrics(manifest: "Manifest") -> str:
    return ", ".join(f"{name} {value:g}" for name, value in manifest.metrics.items())


def _short(text: str) -> str:
    """Cut a cell to what leaves the table a table; `models show` tells all of it."""
    return textwrap.shorten(text, _CELL_CHARACTERS, placeholder=" …")


def _facts(version: "Version") -> list[list[str]]:
    manifest = version.manifest
    golden = manifest.golden
    facts = {
        "version": f"{manifest.model} {manifest.version}",
        "digest": version.digest,
        "published": f"{moment(manifest.created)} UTC by {manifest.by}",
        "inputs": "\n".join(map(str, manifest.inputs)),
        "outputs": "\n".join(map(str, manifest.outputs)),
        "files": "\n".join(f"{file.path} ({size(file.size)})" for file in manifest.files),
        "golden set": f"{golden.rows} rows, rtol {golden.rtol:g}, atol {golden.atol:g}"
        if golden
        else "none",
        "metrics": _metrics(manifest),
        "labels": ", ".join(f"{name}={value}" for name, value in manifest.labels.items()),
        "note": manifest.note,
        "git commit": manifest.git_commit,
        "opsets": ", ".join(f"{name} {number}" for name, number in manifest.onnx.opsets.items()),
        "producer": manifest.onnx.producer,
        "validated": f"{manifest.measured.runtime}: loads in "
        f"{duration(manifest.measured.load_seconds)}, answers in "
        f"{duration(manifest.measured.latency_seconds)}, "
        f"peak {size(manifest.measured.peak_rss_bytes)}",
    }
    return [[name, value] for name, value in facts.items() if value]
