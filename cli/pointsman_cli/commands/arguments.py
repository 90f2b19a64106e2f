"""Options that several commands share, and how `name=value` is read."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

Value = TypeVar("Value")

Why = Annotated[str, typer.Option(help="The reason, for the history.")]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Do not wait until every live instance confirms.")
]
Keep = Annotated[
    bool, typer.Option("--keep", help="Leave the channel as it is when an instance refuses.")
]
Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds to wait for the fleet.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]

Sign = Annotated[
    Path | None,
    typer.Option(
        "--sign",
        metavar="KEYFILE",
        help="Sign with this private key; default: POINTSMAN_SIGNING_KEY, or signing_key.",
        show_default=False,
    ),
]


def pairs(given: Iterable[str], convert: Callable[[str], Value], option: str) -> dict[str, Value]:
    """Read `name=value` strings; raises `UsageError` for one that is not."""
    from pointsman_cli.errors import UsageError

    result = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            result[name] = convert(value)
        except ValueError:
            name = ""
        if not name or "=" not in text:
            raise UsageError(f"{option} {text!r} is not NAME=VALUE", "E.g. accuracy=0.97")
    return result
