"""`deploy`, `logs`, `destroy`, `serve`: the service as a process, here or on a platform."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.commands.arguments import DryRun, Timeout
from pointsman_cli.context import Context, with_context
from pointsman_cli.output import duration

if TYPE_CHECKING:
    from pointsman_cli.platforms.base import Deployment
    from pointsman_cli.verification import Proof

PlatformName = Annotated[str, typer.Option("--platform", "-p", help="Where it runs: local.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (deploy, logs, destroy, serve):
        app.command()(command)


@with_context
def deploy(
    context: Context,
    platform: PlatformName = "local",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The port; 0 takes any free one.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Replace what runs.")] = False,
    timeout: Timeout = 120.0,
    dry_run: DryRun = False,
) -> None:
    """Run the service, and prove that it serves.

    The proof comes from outside: health, then the golden set over HTTP. A service that
    already runs as asked is left alone, and proven again. If nothing was ever
    activated and the model has exactly one version, that one is activated first.
    """
    from pointsman_cli.platforms.base import Wanted
    from pointsman_cli.platforms.discovery import platform as find
    from pointsman_cli.verification import verify

    where = find(platform, context)
    wanted = Wanted(host=host, port=port, restart=restart)
    where.check(wanted)
    if dry_run:
        plan = [*_activation_plan(context), *where.plan(wanted)]
        context.output.result({"plan": plan})
        context.output.data("\n".join(plan))
        return
    _ensure_active(context)
    deployment = where.deploy(wanted)
    context.output.step(f"process {deployment.pid} answers at {deployment.url}")
    proof = verify(context, deployment.url, timeout)
    context.output.result(deployment.document() | proof.document())
    context.output.success(_sentence(deployment, proof))
    context.output.data(deployment.url)


@with_context
def logs(
    context: Context,
    platform: PlatformName = "local",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="How many to begin with.")
    ] = 50,
) -> None:
    """Print the service's log. With --json, one JSON string per line."""
    import json

    from pointsman_cli.platforms.discovery import platform as find

    for line in find(platform, context).logs(follow=follow, lines=lines):
        sys.stdout.write((json.dumps(line) if context.output.as_json else line) + "\n")
        sys.stdout.flush()


@with_context
def destroy(context: Context, platform: PlatformName = "local", dry_run: DryRun = False) -> None:
    """End the service in good order. Models, channels and history stay."""
    from pointsman_cli.platforms.discovery import platform as find

    where = find(platform, context)
    if dry_run:
        deployment = where.status()
        sentence = f"end {deployment.name} at {deployment.url}" if deployment else "do nothing"
        context.output.result({"plan": [sentence]})
        context.output.data(sentence)
        return
    existed = where.destroy()
    context.output.result({"platform": platform, "destroyed": existed})
    name = f"{context.model}/{context.channel}"
    if existed:
        context.output.success(f"{name} no longer runs on {platform}")
    else:
        context.output.step(f"{name} was not deployed on {platform}")


@with_context
def serve(
    context: Context,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The port; default: PORT, or 8000.")
    ] = None,
) -> None:
    """Run the service in the foreground, until Ctrl-C. Same as `python -m pointsman_service`."""
    from pointsman_cli import process

    configuration = context.project.configuration
    environment = context.service_environment | {
        "POINTSMAN_STORE": configuration.store,
        "POINTSMAN_MODEL": context.model,
        "POINTSMAN_CHANNEL": context.channel,
        "POINTSMAN_FLEET": configuration.fleet,
    }
    if port is not None:
        environment["PORT"] = str(port)
    process.replace([sys.executable, "-m", "pointsman_service"], environment)


def _only_version(context: Context) -> str | None:
    """Return the version to activate because there is no other; None when one is active.

    Raises `CommandError` when nothing is active and there is no single candidate.
    """
    from pointsman.errors import NotFound
    from pointsman_cli.errors import CommandError

    registry = context.registry
    try:
        registry.channel(context.model, context.channel)
    except NotFound:
        names = [version.manifest.version for version in registry.versions(context.model)]
        if len(names) == 1:
            return names[0]
        raise CommandError(
            f"nothing is active in {context.model}/{context.channel}, and there are "
            f"{len(names)} versions to choose from",
            f"`pointsman activate VERSION` with one of: {', '.join(names[-5:])}.",
        ) from None
    return None


def _activation_plan(context: Context) -> list[str]:
    version = _only_version(context)
    return [f"activate {version}, the only version"] if version else []


def _ensure_active(context: Context) -> None:
    if version := _only_version(context):
        context.output.step(f"activating {version}, the only version")
        context.registry.activate(context.model, version, context.channel, why="first deployment")


def _sentence(deployment: "Deployment", proof: "Proof") -> str:
    facts: list[Any] = [
        f"{deployment.name} serves {proof.version} (generation {proof.generation})",
        f"verified in {duration(proof.seconds)}",
    ]
    if proof.golden_rows:
        facts.append(f"golden set reproduced ({proof.golden_rows} rows)")
    return " · ".join(facts)
