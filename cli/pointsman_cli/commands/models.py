"""The group `models`, and of it `list` and `show`: what there is to serve."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.commands import diff, prune, pull, verify
from pointsman_cli.context import Context, with_context
from pointsman_cli.output import duration, size

if TYPE_CHECKING:
    from pointsman.manifest import Version


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True)
    group.command("list")(list_)
    group.command("show")(show)
    for module in (diff, pull, verify, prune):
        module.register(group)
    app.add_typer(group, name="models", help="What there is to serve.")


@with_context
def list_(
    context: Context,
    name: Annotated[str, typer.Argument(help="One model; default: all of them.")] = "",
) -> None:
    """List models and their versions, newest last."""
    registry = context.registry
    names = [name] if name else registry.models()
    versions = [version for each in names for version in registry.versions(each)]
    active = {each: _active(context, each) for each in names}
    context.output.result([_summary(version, active) for version in versions])
    if not versions:
        context.output.step(
            f"{registry.store.url} holds no models yet; `pointsman upload-model` adds one."
        )
        return
    context.output.table(
        ["model", "version", "published", "size", "metrics", "active in", "note"],
        [_row(version, active) for version in versions],
    )


@with_context
def show(
    context: Context,
    version: Annotated[str, typer.Argument(help="The version.")],
) -> None:
    """Show all that is known of a version."""
    import msgspec

    found = context.registry.version(context.model, version)
    document = {"digest": found.digest} | msgspec.json.decode(found.document)
    context.output.result(document)
    context.output.table(["what", "value"], _facts(found))


def _active(context: Context, model: str) -> dict[str, list[str]]:
    """Return which channels serve which version."""
    from pointsman import keys

    active: dict[str, list[str]] = {}
    for info in context.registry.store.scan(keys.channels(model)):
        channel = keys.name_in(info.key)
        stable = context.registry.channel(model, channel).stable
        active.setdefault(stable.version, []).append(channel)
    return active


def _summary(version: "Version", active: dict[str, dict[str, list[str]]]) -> dict[str, Any]:
    manifest = version.manifest
    return {
        "model": manifest.model,
        "version": manifest.version,
        "digest": version.digest,
        "created": manifest.created,
        "bytes": manifest.size,
        "metrics": manifest.metrics,
        "labels": manifest.labels,
        "note": manifest.note,
        "active_in": active[manifest.model].get(manifest.version, []),
    }


def _row(version: "Version", active: dict[str, dict[str, list[str]]]) -> list[str]:
    manifest = version.manifest
    return [
        manifest.model,
        manifest.version,
        manifest.created.replace("T", " ")[:16],
        size(manifest.size),
        ", ".join(f"{name} {value:g}" for name, value in manifest.metrics.items()),
        ", ".join(active[manifest.model].get(manifest.version, [])),
        manifest.note,
    ]


def _facts(version: "Version") -> list[list[str]]:
    manifest = version.manifest
    golden = manifest.golden
    facts = {
        "version": f"{manifest.model} {manifest.version}",
        "digest": version.digest,
        "published": f"{manifest.created} by {manifest.by}",
        "inputs": "\n".join(map(str, manifest.inputs)),
        "outputs": "\n".join(map(str, manifest.outputs)),
        "files": "\n".join(f"{file.path} ({size(file.size)})" for file in manifest.files),
        "golden set": f"{golden.rows} rows, rtol {golden.rtol:g}" if golden else "none",
        "metrics": ", ".join(f"{name} {value:g}" for name, value in manifest.metrics.items()),
        "labels": ", ".join(f"{name}={value}" for name, value in manifest.labels.items()),
        "note": manifest.note,
        "git commit": manifest.git_commit,
        "onnx": ", ".join(f"{name} {number}" for name, number in manifest.onnx.opsets.items()),
        "producer": manifest.onnx.producer,
        "validated": f"{manifest.measured.runtime}: loads in "
        f"{duration(manifest.measured.load_seconds)}, answers in "
        f"{duration(manifest.measured.latency_seconds)}, "
        f"peak {size(manifest.measured.peak_rss_bytes)}",
    }
    return [[name, value] for name, value in facts.items() if value]
