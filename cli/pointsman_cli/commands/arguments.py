"""Options that several commands share, and how `name=value` is read."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

Value = TypeVar("Value")

Why = Annotated[str, typer.Option(metavar="TEXT", help="The reason, for the history.")]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Do not wait until every live instance confirms.")
]
Keep = Annotated[
    bool, typer.Option("--keep", help="Leave the channel as it is when an instance refuses.")
]
Timeout = Annotated[
    float, typer.Option(min=0.1, metavar="SECONDS", help="How long to wait for the fleet.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
PlatformName = Annotated[
    str | None,
    typer.Option(
        "--platform",
        "-p",
        metavar="NAME",
        help="Where it runs; default: platform of pointsman.toml, or local.",
        show_default=False,
    ),
]

Sign = Annotated[
    Path | None,
    typer.Option(
        "--sign",
        metavar="KEYFILE",
        help="Sign with this private key; default: POINTSMAN_SIGNING_KEY, or signing_key.",
        show_default=False,
    ),
]


def pairs(
    given: Iterable[str], convert: Callable[[str], Value], option: str, example: str
) -> dict[str, Value]:
    """Read `name=value` strings; raises `UsageError` for one that is not, or comes twice."""
    from pointsman_cli.errors import UsageError

    hint = f"E.g. {option} {example}"
    result: dict[str, Value] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageError(f"{option} {text!r} is not NAME=VALUE", hint)
        if name in result:
            raise UsageError(f"{option} {name} is given twice", hint)
        try:
            result[name] = convert(value)
        except ValueError as error:
            raise UsageError(f"{option} {name}: {value!r} is not {error}", hint) from error
    return result


def number(text: str) -> float:
    """Read a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("a finite number")
    return value
