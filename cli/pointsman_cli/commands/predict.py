"""`predict`: ask a running service, the way a client would."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pointsman_cli.context import Context, with_context


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: echo '{\"inputs\": [[0, 1]]}' | pointsman predict -")(predict)


@with_context
def predict(
    context: Context,
    request: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help='A JSON file like {"inputs": …}; - reads standard input.'
        ),
    ],
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="The service; default: the local deployment of this channel."
        ),
    ] = None,
) -> None:
    """Send one prediction request."""
    import json

    from pointsman_cli import client
    from pointsman_cli.units import duration

    service = _deployed(context) if url is None else url
    body = _body(context, request)
    with context.output.waiting(f"asking {service}"):
        answer = client.predict(service, body)
    took = duration(answer.seconds)
    context.output.step(f"answered by {answer.version} in {took}, at {service}")
    context.output.result(answer.document)
    context.output.data(json.dumps(answer.document["outputs"], ensure_ascii=False))


def _body(context: Context, path: Path) -> bytes:
    from pointsman_cli.errors import UsageError

    if str(path) == "-":
        if sys.stdin.isatty():
            context.output.step("reading the request from the keyboard; Ctrl-D ends it")
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def _deployed(context: Context) -> str:
    from pointsman_cli.errors import UsageError
    from pointsman_cli.platforms.discovery import platform

    deployment = platform("local", context).status()
    if deployment is None:
        raise UsageError(
            f"{context.model}/{context.channel} is not deployed here",
            "Name the service with --url, or `pointsman deploy --platform local` first.",
        )
    return deployment.url
