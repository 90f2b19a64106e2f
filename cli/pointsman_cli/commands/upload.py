"""`upload-model`: make files a version."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.commands.arguments import DryRun, Keep, NoWait, Sign, Timeout, Why, pairs
from pointsman_cli.context import Context, with_context
from pointsman_cli.output import duration, size

if TYPE_CHECKING:
    from pointsman.manifest import Manifest
    from pointsman.publishing import Published


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "upload-model",
        epilog="Example: pointsman upload-model v2 model.onnx --golden golden.npz --activate",
    )(upload_model)


@with_context
def upload_model(
    context: Context,
    version: Annotated[str, typer.Argument(help="The version's name, for ever: v1, 2026-11-22, …")],
    path: Annotated[Path, typer.Argument(help="An .onnx file, or a directory with one.")],
    golden: Annotated[
        Path | None,
        typer.Option(help="An .npz of inputs/NAME and outputs/NAME, replayed before serving."),
    ] = None,
    sample: Annotated[
        Path | None,
        typer.Option(help="An .npz or JSON of inputs to try it on, where there is no golden set."),
    ] = None,
    metric: Annotated[list[str], typer.Option(help="name=number, any number of times.")] = [],
    label: Annotated[list[str], typer.Option(help="name=text, any number of times.")] = [],
    note: Annotated[str, typer.Option(help="A sentence for those who come later.")] = "",
    activate: Annotated[bool, typer.Option("--activate", help="Serve it at once.")] = False,
    why: Why = "",
    no_wait: NoWait = False,
    timeout: Timeout = 120.0,
    keep: Keep = False,
    sign: Sign = None,
    dry_run: DryRun = False,
) -> None:
    """Publish a model as an immutable version.

    The model is loaded and run in a process of its own before anything is uploaded. Publishing
    the same content again changes nothing; other content under a used name is refused.
    """
    context.sign_with(sign)
    published = _publish(
        context,
        version,
        path,
        golden=golden,
        sample=sample,
        metrics=pairs(metric, float, "--metric"),
        labels=pairs(label, str, "--label"),
        note=note,
        dry_run=dry_run,
    )
    manifest = published.version.manifest
    _compare_with_stable(context, manifest)
    if activate and not dry_run:
        from pointsman_cli.moving import Activation, Patience, move

        patience = Patience(wait=not no_wait, seconds=timeout, keep=keep)
        move(context, Activation(manifest.version), why, patience)
        return
    context.output.result(
        {
            "model": manifest.model,
            "version": manifest.version,
            "digest": published.version.digest,
            "created": published.created and not dry_run,
            "bytes": manifest.size,
            "files": [file.path for file in manifest.files],
        }
    )


def _publish(context: Context, version: str, path: Path, **said: Any) -> "Published":
    """Publish with progress; `said` are the keywords of `Registry.publish`."""
    from pointsman.publishing import Progress

    output = context.output
    with output.transfer() as transfer:
        progress = Progress(output.step, transfer.expect, transfer.advance)
        published = context.registry.publish(
            context.model, version, path, progress=progress, **said
        )
    output.success(_sentence(published, dry_run=said["dry_run"]))
    return published


def _sentence(published: "Published", *, dry_run: bool) -> str:
    manifest = published.version.manifest
    measured = manifest.measured
    verb = "would publish" if dry_run else "published"
    facts = [
        f"{verb} {manifest.model} {manifest.version}"
        if published.created
        else f"{manifest.model} {manifest.version} is already there, with the same content",
        f"{len(manifest.files)} files, {size(manifest.size)}",
        f"loads in {duration(measured.load_seconds)}",
        f"answers in {duration(measured.latency_seconds)}",
    ]
    if manifest.golden:
        facts.append(f"golden set of {manifest.golden.rows} rows")
    return " · ".join(facts)


def _compare_with_stable(context: Context, manifest: "Manifest") -> None:
    """Warn when clients of what is active would notice: the signature differs."""
    from pointsman.errors import NotFound

    try:
        stable = context.registry.channel(context.model, context.channel).stable
        active = context.registry.resolve(context.model, stable).manifest
    except NotFound:
        return
    for kind in ("inputs", "outputs"):
        old, new = getattr(active, kind), getattr(manifest, kind)
        if old != new:
            context.output.warn(
                f"its {kind} differ from those of {stable.version}, which is active: "
                f"{'; '.join(map(str, old))} → {'; '.join(map(str, new))}"
            )
