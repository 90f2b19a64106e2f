"""`deploy`, `logs`, `destroy`, `serve`: the service as a process, here or on a platform."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman_cli.commands.arguments import DryRun
from pointsman_cli.context import Context, with_context
from pointsman_cli.units import counted, duration

if TYPE_CHECKING:
    from pointsman_cli.platforms.base import Deployment
    from pointsman_cli.verification import Proof

PlatformName = Annotated[
    str, typer.Option("--platform", "-p", metavar="NAME", help="Where it runs: local.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (deploy, logs, destroy, serve):
        app.command()(command)


@with_context
def deploy(
    context: Context,
    platform: PlatformName = "local",
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", help="The port; 0 takes any free one."),
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address to listen on.")
    ] = None,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart", help="Replace what runs, at the same address if no other is given."
        ),
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(min=0.1, metavar="SECONDS", help="How long it may take until it serves."),
    ] = 120.0,
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
    candidate = _only_version(context)
    if dry_run:
        first = [f"activate {candidate}, the only version"] if candidate else []
        plan = [*first, *where.plan(wanted)]
        context.output.result({"dry_run": True, "plan": plan})
        context.output.data("\n".join(plan))
        return
    if candidate:
        _activate(context, candidate)
    deployment = where.deploy(wanted)
    context.stands(
        f"The service runs at {deployment.url}; `pointsman deploy` proves it, "
        "`pointsman destroy` ends it.",
        **deployment.document(),
    )
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
        int,
        typer.Option("--lines", "-n", min=0, metavar="COUNT", help="How many to begin with."),
    ] = 50,
) -> None:
    """Print the service's log. With --follow, until the service or Ctrl-C ends it."""
    from pointsman_cli.errors import UsageError
    from pointsman_cli.platforms.discovery import platform as find

    output = context.output
    if follow and output.as_json:
        raise UsageError("a log that goes on is not one document", "Leave out --follow, or --json.")
    context.stands("The service goes on, and so does its log.")
    told = find(platform, context).logs(follow=follow, lines=lines)
    if output.as_json:
        output.result({"platform": platform, "lines": list(told)})
        return
    for line in told:
        output.data(line)
        if output.unheard:
            break


@with_context
def destroy(context: Context, platform: PlatformName = "local", dry_run: DryRun = False) -> None:
    """End the service in good order. Models, channels and history stay."""
    from pointsman_cli.platforms.discovery import platform as find

    where = find(platform, context)
    name = f"{context.model}/{context.channel}"
    if dry_run:
        deployment = where.status()
        plan = [f"end {name} at {deployment.url}"] if deployment else []
        context.output.result({"dry_run": True, "plan": plan})
        context.output.data(plan[0] if plan else f"nothing: {name} does not run on {platform}")
        return
    existed = where.destroy()
    context.output.result({"platform": platform, "destroyed": existed})
    if existed:
        context.output.success(f"{name} no longer runs on {platform}")
    else:
        context.output.step(f"{name} was not deployed on {platform}")


@with_context
def serve(
    context: Context,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, metavar="PORT", help="Default: PORT in the environment, or 8000."
        ),
    ] = None,
) -> None:
    """Run the service in the foreground, until Ctrl-C. Same as `python -m pointsman_service`."""
    from pointsman_cli import process

    configuration = context.project.configuration
    environment = context.service_environment() | {
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
    from pointsman_cli.errors import CommandError
    from pointsman_cli.moves import present

    if present(context) is not None:
        return None
    names = [each.manifest.version for each in context.registry.versions(context.model)]
    if len(names) == 1:
        return names[0]
    raise CommandError(
        f"nothing is active in {context.model}/{context.channel}, and there are "
        f"{len(names)} versions to choose from",
        f"`pointsman activate VERSION` with one of: {', '.join(names[-5:])}.",
    )


def _activate(context: Context, version: str) -> None:
    context.output.step(f"activating {version}, the only version")
    context.registry.activate(
        context.model, version, context.channel, why="first deployment", if_generation=0
    )
    context.stands(f"{version} is active; the service was not started.", activated=version)


def _sentence(deployment: "Deployment", proof: "Proof") -> str:
    facts = [
        f"{deployment.name} serves {proof.version} (generation {proof.generation})",
        f"verified in {duration(proof.seconds)}",
    ]
    if proof.golden_rows:
        facts.append(f"golden set reproduced ({counted(proof.golden_rows, 'row')})")
    return " · ".join(facts)
