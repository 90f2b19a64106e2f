"""`deploy`, `logs`, `destroy`, `serve`: the service as a process, here or on a platform."""

import sys
from typing import Annotated

import typer

from pointsman_cli.commands.arguments import DryRun, PlatformName
from pointsman_cli.context import Context, with_context


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: pointsman deploy --platform fly --auto-rollback")(deploy)
    app.command(epilog="Example: pointsman logs --platform fly --follow")(logs)
    app.command(epilog="Example: pointsman destroy --platform fly --dry-run")(destroy)
    app.command()(serve)


@with_context
def deploy(
    context: Context,
    platform: PlatformName = None,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="Deploy this image as it is; default: build one.",
            show_default=False,
        ),
    ] = None,
    auto_rollback: Annotated[
        bool,
        typer.Option("--auto-rollback", help="Go back to the previous image if the new one fails."),
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, metavar="PORT", help="Local: the port; 0 takes any free one."
        ),
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Local: the address to listen on.")
    ] = None,
    docker: Annotated[
        bool,
        typer.Option("--docker", help="Local: run the image as a container, and no process."),
    ] = False,
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Replace what runs, even if it is as it should be."),
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
    Ends with 9 when it is deployed but could not be proven, with 10 when it failed.
    """
    from pointsman_cli.deploying import Deploying
    from pointsman_cli.errors import UsageError
    from pointsman_cli.platforms.base import Wanted
    from pointsman_cli.platforms.discovery import platform as find

    _require_local(context.platform(platform), docker=docker, host=host, port=port)
    if image == "":
        raise UsageError("--image is empty", "Leave it out, or name the image.")
    wanted = Wanted(
        image=image or "",
        auto_rollback=auto_rollback,
        timeout=timeout,
        host=host,
        port=port,
        restart=restart,
        docker=docker,
    )
    deploying = Deploying.of(context, find(platform, context), wanted)
    deploying.check()
    if dry_run:
        deploying.show()
    else:
        deploying.carry_out()


@with_context
def logs(
    context: Context,
    platform: PlatformName = None,
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
        output.result({"platform": context.platform(platform), "lines": list(told)})
        return
    for line in told:
        output.data(line)
        if output.unheard:
            break


@with_context
def destroy(
    context: Context,
    platform: PlatformName = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask for the name to be typed.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """End the service in good order. Models, channels and history stay.

    Where something is lost with it for good, such as an address, its name has to be typed first.
    """
    from pointsman_cli.platforms.discovery import platform as find
    from pointsman_cli.platforms.removing import confirm, told

    where = find(platform, context)
    named = context.platform(platform)
    removal = where.removal()
    name = removal.name if removal else f"{context.model}/{context.channel}"
    if dry_run:
        document = {"plan": list(removal.steps), "lost": list(removal.lost)} if removal else {}
        context.output.result({"dry_run": True, "plan": []} | document)
        context.output.data(told(removal) if removal else f"nothing: {name} is not on {named}")
        return
    if removal and not yes:
        confirm(context, removal)
    existed = where.destroy()
    context.output.result({"platform": named, "destroyed": existed})
    if existed:
        context.output.success(f"{name} no longer runs on {named}")
    else:
        context.output.step(f"{name} was not deployed on {named}")


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
    environment = context.service_environment | {
        "POINTSMAN_STORE": configuration.store,
        "POINTSMAN_MODEL": context.model,
        "POINTSMAN_CHANNEL": context.channel,
        "POINTSMAN_FLEET": configuration.fleet,
    }
    if port is not None:
        environment["PORT"] = str(port)
    process.replace([sys.executable, "-m", "pointsman_service"], environment)


def _require_local(platform: str, **given: object) -> None:
    """Raise `UsageError` for an option that means nothing on this platform."""
    from pointsman_cli.errors import UsageError

    meant = [name for name, value in given.items() if value is not None and value is not False]
    if meant and platform != "local":
        raise UsageError(
            f"--{meant[0]} is for the local platform, and this is {platform}",
            "Leave it out, or add --platform local.",
        )
