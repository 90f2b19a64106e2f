"""Options that several commands share, and how `name=value` is read."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

Value = TypeVar("Value")
_ALL = 100

Version = Annotated[str, typer.Argument(metavar="VERSION", help="A published version.")]
Force = Annotated[
    bool, typer.Option("--force", help="Even if it takes or gives other tensors than stable does.")
]
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

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def seconds(text: str, option: str) -> float:
    """Read a duration: `90`, `60s`, `10m`, `1h`; raises `UsageError` for what is none."""
    from pointsman_cli.errors import UsageError

    unit = _UNITS.get(text[-1:], 0.0)
    try:
        value = number(text[:-1] if unit else text) * (unit or 1.0)
    except ValueError:
        value = -1.0
    if value < 0:
        raise UsageError(f"{option} {text!r} is not a duration", f"E.g. {option} 60s, 10m, 1h.")
    return value


def share(text: str, option: str) -> float:
    """Read a percentage, `1%` or `1`, as a share; raises `UsageError` for what is none."""
    from pointsman_cli.errors import UsageError

    try:
        percent = number(text.removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= _ALL:
        raise UsageError(
            f"{option} {text!r} is not a percentage from 0 to 100", f"E.g. {option} 1%."
        )
    return percent / _ALL


def whole_percent(text: str, what: str, example: str, least: int = 0) -> int:
    """Read a whole percentage, `5` or `5%`; raises `UsageError` for what is none."""
    from pointsman_cli.errors import UsageError

    try:
        value = int(text.removesuffix("%"))
    except ValueError:
        value = -1
    if not least <= value <= _ALL:
        raise UsageError(
            f"{what} {text!r} is not a whole percentage from {least} to {_ALL}",
            f"It is how many of a hundred requests, e.g. {example}.",
        )
    return value


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
