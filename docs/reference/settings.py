"""`settings.md`: the service's variables, and the keys of `pointsman.toml`."""

import inspect
import json
from collections.abc import Callable
from typing import Any

import msgspec
from docs.reference.markdown import code, page, prose, table
from docs.reference.members import Member, members

from pointsman_cli.configuration import OVERRIDABLE, Configuration
from pointsman_cli.tables import SHAPES
from pointsman_service.settings import Settings, variable

_INTRODUCTION = """\
What there is to set; `make docs` writes it from the code. Where the default is "", or the cell is
empty, nothing is said."""
_SERVICE = """\
Environment variables, which `pointsman serve`, `python -m pointsman_service` and the image
read when they start. An empty one counts as none. One that begins with `POINTSMAN_` and means
nothing is reported in the log, with what may have been meant. Credentials for the store are told in
[stores.md](stores.md#credentials), and what a deployment sets by itself in
[shipping.md](shipping.md#what-the-service-is-told)."""
_FILE = """\
What `pointsman` works on. The file is looked for in the working directory and its parents; a key
that means nothing is an error. Under `[env.NAME]` stands what is different with `--env NAME`, by
the same keys."""
_WORDS = {pattern: f"text; {said[0].lower()}{said[1:-1]}" for pattern, (_, said) in SHAPES.items()}
_WORDS |= {r"^[A-Za-z0-9-]*$": "letters, digits and dashes"}
"""What a text has to look like, by its pattern."""


def written() -> str:
    """Return the page."""
    keys = list(members(Configuration, _WORDS))
    return page(
        "# Settings",
        _INTRODUCTION,
        "## The service",
        _told(Settings),
        _SERVICE,
        table(
            ("variable", "values", "default", ""),
            (_row(variable(each.name), each, _plain) for each in members(Settings, _WORDS)),
        ),
        "## pointsman.toml",
        _FILE,
        _overridable(),
        table(
            ("key", "values", "default", ""),
            (_row(each.name, each, _toml) for each in keys if not each.is_table),
        ),
        *(_chapter(each.name, each.default) for each in keys if each.is_table),
    )


def _overridable() -> str:
    *others, last = (code(f"POINTSMAN_{key.upper()}") for key in OVERRIDABLE)
    return (
        f"{', '.join(others)} and {last} are variables that beat the file, `POINTSMAN_PUBLIC_KEYS` "
        "too; and what is said on the command line beats both. Paths in the file are relative to "
        "its folder. `[infra]` is explained in [infrastructure.md](infrastructure.md#settings)."
    )


def _chapter(name: str, empty: msgspec.Struct) -> str:
    """Return what there is to say of one table of the file."""
    keys = members(type(empty), _WORDS)
    return page(
        f"### [{name}]",
        _told(type(empty)),
        table(("key", "values", "default", ""), (_row(each.name, each, _toml) for each in keys)),
    ).rstrip()


def _row(name: str, member: Member, spelled: Callable[[Any], str]) -> tuple[str, str, str, str]:
    needed = member.default is msgspec.NODEFAULT
    default = "**required**" if needed else code(spelled(member.default))
    return code(name), member.values, default, prose(member.text)


def _told(struct: type[msgspec.Struct]) -> str:
    return prose(inspect.cleandoc(struct.__doc__ or ""))


def _plain(value: Any) -> str:
    """Return a default as a variable has it."""
    return value if isinstance(value, str) else _toml(value)


def _toml(value: Any) -> str:
    """Return a default as the file has it."""
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)
