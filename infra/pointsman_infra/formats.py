"""A role's environment in the forms that people and platforms take it in."""

import json
import re
import shlex
from collections.abc import Mapping
from enum import StrEnum

_SAFE = re.compile(r"[A-Za-z0-9_.,:/@%+=-]*")


class Format(StrEnum):
    """How variables are written."""

    DOTENV = "dotenv"
    FLY = "fly"
    RAILWAY = "railway"
    JSON = "json"


def render(variables: Mapping[str, str], form: Format) -> str:
    """Return the variables as text.

    `dotenv` is for a shell or a file; `fly` goes into `fly secrets import`; `railway` is what its
    raw editor of variables takes; `json` is one object.
    """
    if form is Format.JSON:
        return json.dumps(dict(variables), indent=2)
    quoted = _QUOTING[form]
    return "\n".join(f"{name}={quoted(value)}" for name, value in variables.items())


def _in_quotes(value: str) -> str:
    return value if _SAFE.fullmatch(value) else json.dumps(value)


_QUOTING = {Format.DOTENV: shlex.quote, Format.FLY: _in_quotes, Format.RAILWAY: _in_quotes}
