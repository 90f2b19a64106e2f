"""`build` and `push`: the image that the service runs from, wherever that is."""

from typing import Annotated

import typer

from pointsman_cli.context import Context, with_context


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: pointsman build --push")(build)
    app.command()(push)


@with_context
def build(
    context: Context,
    push: Annotated[
        bool, typer.Option("--push", help="Also push it to repository of [image].")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Build even if the same image is there.")
    ] = False,
) -> None:
    """Build the image of the service, without any model.

    It is made from the very code this command was installed with, by Docker or Podman, and named
    by its content: where nothing has changed, nothing is built. Models come from the store later.
    """
    from pointsman_cli.images import making
    from pointsman_cli.units import size

    if push:
        making.required_repository(context.project)
    made = making.build(context, again=again)
    if push:
        made = making.push(context, made)
    context.output.result(made.document())
    context.output.success(f"{made.image.reference} · {size(made.image.bytes)}")
    context.output.data(made.reference)


@with_context
def push(context: Context) -> None:
    """Push the image to its registry.

    It is built first if it is not here; repository of [image] says where it goes.
    """
    from pointsman_cli.images import making

    making.required_repository(context.project)
    made = making.push(context, making.build(context))
    context.output.result(made.document())
    context.output.success(f"{made.pushed} is in its registry")
    context.output.data(made.reference)
