"""How secrets travel to Fly: on flyctl's standard input, in a form that its parser keeps whole.

`fly secrets import` reads lines of NAME=VALUE and is lossy (flyctl's
`internal/command/secrets/parser.go`): it cuts at `#`, strips quotes, drops a carriage return, and
forgets what follows a line over 64 KiB. Between triple quotes a value survives, with exceptions;
those go by `fly secrets set NAME=-`, which trims white space at both ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pointsman_cli.errors import CommandError

_QUOTES = '"""'
_MOST_BYTES = 64 << 10
_LONGEST_LINE = _MOST_BYTES - 1024
"""Room for the name and the quotes beside the value."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """What is sent how: `document` for one import, `singles` by a command each."""

    document: str
    singles: Mapping[str, str]


def shipment(values: Mapping[str, str]) -> Shipment:
    """Divide secrets by the way that keeps them whole; raises `CommandError` where none does."""
    lines, singles = [], {}
    for name in sorted(values):
        if _survives_import(values[name]):
            lines.append(f"{name}={_QUOTES}{values[name]}{_QUOTES}\n")
        elif _survives_alone(values[name]):
            singles[name] = values[name]
        else:
            raise CommandError(
                f"the value of the secret {name} cannot be handed to flyctl unchanged",
                "It begins or ends with white space, or is longer than 64 KiB: set it on Fly's "
                "website, or give it another value.",
            )
    return Shipment("".join(lines), singles)


def _survives_import(value: str) -> bool:
    lines = value.split("\n")
    return not (
        "\r" in value
        or any(line.endswith(_QUOTES) for line in lines[:-1])
        or any(len(line.encode()) > _LONGEST_LINE for line in lines)
        or _is_cut(lines[0])
    )


def _is_cut(first: str) -> bool:
    """Tell whether the parser would take a `#` for the beginning of a comment.

    It does where the quotes before it are even in number; three of them are ours.
    """
    before, mark, _ = first.partition("#")
    return bool(mark) and before.count('"') % 2 == 1


def _survives_alone(value: str) -> bool:
    return value == value.strip() and 0 < len(value.encode()) <= _MOST_BYTES
