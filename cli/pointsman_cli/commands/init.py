"""`init`: the files a project begins with."""

from pathlib import Path
from typing import Annotated

import typer

from pointsman_cli.commands.arguments import DryRun
from pointsman_cli.context import Context, with_context


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: pointsman init digits --platform fly --github")(init)


@with_context
def init(
    context: Context,
    name: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="The model; default: the folder's name."),
    ] = None,
    platform: Annotated[
        str,
        typer.Option(
            "--platform", "-p", metavar="NAME", help="Where it will run: fly, railway, …."
        ),
    ] = "local",
    github: Annotated[
        bool,
        typer.Option(
            "--github", help="Also workflows: deploy on push, publish and canary on a new model."
        ),
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Begin a project in this folder. What is there already stays as it is.

    Writes pointsman.toml, the Dockerfile with its .dockerignore, and the platform's own file.
    """
    from pointsman.names import model_name
    from pointsman_cli import scaffold
    from pointsman_cli.platforms import discovery

    discovery.require(platform)
    here = Path.cwd()
    given = name or context.configured.configuration.model
    model = model_name(given) if given else scaffold.suggested_model(here)
    project = scaffold.Project(here, model, platform, github)
    if dry_run:
        there = [each for each in scaffold.files(project) if not (here / each).exists()]
        context.output.result({"dry_run": True, "plan": [f"write {each}" for each in there]})
        context.output.data("\n".join(f"write {each}" for each in there) or "nothing: all is there")
        return
    done = scaffold.write(project)
    context.output.result({"model": model, "written": done.written, "kept": done.kept})
    for each in done.kept:
        context.output.step(f"{each} is there already, and stays as it is")
    context.output.data("\n".join(done.written))
    context.output.success(f"{model} can be published: `pointsman upload-model v1 model.onnx`")
    context.output.step(f"then `pointsman deploy --platform {platform}`")
    if github:
        context.output.step(
            "for the workflows: a `store` line in pointsman.toml that names a bucket, and on "
            "GitHub the secrets that stand at the top of each"
        )
        if not project.deploys_from_github:
            context.output.step(
                "there is no deploy.yml: `local` is this machine, which GitHub does not reach; "
                "`pointsman init --platform fly --github`, or another platform, writes one"
            )
