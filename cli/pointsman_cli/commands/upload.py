"""`upload-model`: make files a version."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.commands.arguments import DryRun, Keep, NoWait, Sign, Timeout, Why, number, pairs
from pointsman_cli.context import Context, with_context
from pointsman_cli.units import counted, duration, size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pointsman.manifest import Manifest
    from pointsman.publishing import Published
    from pointsman_cli.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be published."""

    version: str
    path: Path
    golden: Path | None
    sample: Path | None
    metrics: dict[str, float]
    labels: dict[str, str]
    note: str
    dry_run: bool


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "upload-model",
        epilog="Example: pointsman upload-model v2 model.onnx --golden golden.npz --activate",
    )(upload_model)


@with_context
def upload_model(
    context: Context,
    version: Annotated[
        str,
        typer.Argument(metavar="VERSION", help="The version's name, for ever: v1, 2026-11-22, …"),
    ],
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="An .onnx file, or a directory with one.")
    ],
    golden: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="An .npz of inputs/NAME and outputs/NAME, replayed before serving."
        ),
    ] = None,
    sample: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="An .npz or JSON of inputs to try it on, without a golden set."
        ),
    ] = None,
    metric: Annotated[
        list[str], typer.Option(metavar="NAME=NUMBER", help="Any number of times.")
    ] = [],
    label: Annotated[
        list[str], typer.Option(metavar="NAME=TEXT", help="Any number of times.")
    ] = [],
    note: Annotated[
        str, typer.Option(metavar="TEXT", help="A sentence for those who come later.")
    ] = "",
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
    if golden and sample:
        raise _too_much_to_try()
    context.sign_with(sign)
    request = Request(
        version=version,
        path=path,
        golden=golden,
        sample=sample,
        metrics=pairs(metric, number, "--metric", "accuracy=0.97"),
        labels=pairs(label, str, "--label", "team=vision"),
        note=note,
        dry_run=dry_run,
    )
    from pointsman_cli import tensor_change

    # Read first: what a store out of reach makes impossible fails before the model is tried.
    active = tensor_change.active(context)
    if activate:
        _require_no_canary(context)
    published = _publish(context, request)
    if active is not None:
        tensor_change.warn(context, active, published.version.manifest)
    if activate and not dry_run:
        from pointsman_cli.moving import Patience, move
        from pointsman_cli.wishes import Activation

        patience = Patience(wait=not no_wait, seconds=timeout, keep=keep)
        move(context, Activation(version), why, patience)
    else:
        context.output.result(_document(published, request))


def _too_much_to_try() -> "UsageError":
    from pointsman_cli.errors import UsageError

    return UsageError(
        "--golden and --sample are both given, and the model is tried on one of them",
        "Leave --sample out: a golden set has inputs, and outputs to compare with.",
    )


def _publish(context: Context, request: Request) -> "Published":
    from pointsman.publishing import Progress

    output = context.output
    context.stands(
        "Nothing was published; files that are there already are not uploaded again next time."
    )
    with output.transfer() as transfer:
        published = context.registry.publish(
            context.model,
            request.version,
            request.path,
            golden=request.golden,
            sample=request.sample,
            metrics=request.metrics,
            labels=request.labels,
            note=request.note,
            progress=Progress(transfer.step, transfer.expect, transfer.advance),
            dry_run=request.dry_run,
        )
    signed = " · signed" if context.registry.notary.signs and not request.dry_run else ""
    output.success(_sentence(published, dry_run=request.dry_run) + signed)
    if not published.created:
        _mention_what_stays(context, published.version.manifest, request)
    if not request.dry_run:
        context.stands(
            f"{context.model} {request.version} is published; `pointsman activate "
            f"{request.version}` makes it serve.",
            published=_document(published, request),
        )
    return published


def _document(published: "Published", request: Request) -> dict[str, Any]:
    manifest = published.version.manifest
    return {
        "model": manifest.model,
        "version": manifest.version,
        "digest": published.version.digest,
        "created": published.created and not request.dry_run,
        "bytes": manifest.size,
        "files": [file.path for file in manifest.files],
        "dry_run": request.dry_run,
    }


def _sentence(published: "Published", *, dry_run: bool) -> str:
    manifest = published.version.manifest
    measured = manifest.measured
    latency = duration(measured.latency_seconds)
    verb = "would publish" if dry_run else "published"
    facts = [
        f"{verb} {manifest.model} {manifest.version}"
        if published.created
        else f"{manifest.model} {manifest.version} is already there, with the same content",
        f"{counted(len(manifest.files), 'file')}, {size(manifest.size)}",
        f"loads in {duration(measured.load_seconds)}, answers in {latency}",
    ]
    if manifest.golden:
        facts.append(f"golden set of {counted(manifest.golden.rows, 'row')}")
    return " · ".join(facts)


def _mention_what_stays(context: Context, manifest: "Manifest", request: Request) -> None:
    """Warn when something was said of a version that is there, because versions never change."""
    for name, verb in (("metrics", "stay"), ("labels", "stay"), ("note", "stays")):
        said, published = getattr(request, name), getattr(manifest, name)
        if said and said != published:
            context.output.warn(f"its {name} {verb} as published: {_told(published) or 'none'}")


def _told(said: "str | Mapping[str, float] | Mapping[str, str]") -> str:
    if isinstance(said, str):
        return said
    return ", ".join(f"{name}={value}" for name, value in said.items())


def _require_no_canary(context: Context) -> None:
    """Refuse before a byte is uploaded what the activation would refuse in the end."""
    from pointsman_cli.errors import CommandError
    from pointsman_cli.moves import present

    channel = present(context)
    if channel is not None and channel.canary is not None:
        canary = channel.canary
        raise CommandError(
            f"the canary {canary.version} runs, and gets {canary.weight} % of the requests: "
            "nothing can be activated beside it",
            "Publish without --activate, or end it first: `pointsman rollout abort`, or "
            "`pointsman rollout promote`.",
        )
