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
        Path, typer.Argument(help='A JSON file like {"inputs": …}; - reads standard input.')
    ],
    url: Annotated[
        str, typer.Option(help="The service; default: the local deployment of this channel.")
    ] = "",
) -> None:
    """Send one prediction request."""
    import json

    from pointsman_cli import client

    service = url or _deployed(context)
    answer = client.predict(service, _body(request))
    context.output.step(f"answered by {answer.version} at {service}")
    context.output.result(answer.document)
    context.output.data(json.dumps(answer.document["outputs"], ensure_ascii=False))


def _body(path: Path) -> bytes:
    from pointsman_cli.errors import UsageError

    if str(path) == "-":
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
            f"{context.model}/{context.channel} is not deployed locally",
            "Name the service with --url, or `pointsman deploy --platform local` first.",
        )
    return deployment.url
