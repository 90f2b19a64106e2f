"""Hints: what to type next, complete with the options by which this command was told where to work.

`pointsman rollback` after `pointsman activate v2 --channel staging` would move another channel.
"""

import re
import shlex
from collections.abc import Mapping

_COMMAND = re.compile(r"`(pointsman [^`…]+)`")
_ABOUT_NOTHING = {"--help", "--debug"}


def complete(hint: str, options: Mapping[str, str]) -> str:
    """Return the hint with `options`, by their long names, in every command that lacks them."""

    def completed(found: re.Match[str]) -> str:
        words = found[1].split()
        if _ABOUT_NOTHING.intersection(words):
            return found[0]
        lacking = [
            f"--{name} {shlex.quote(value)}"
            for name, value in options.items()
            if f"--{name}" not in words
        ]
        return f"`{' '.join([found[1], *lacking])}`"

    return _COMMAND.sub(completed, hint)
