"""Asking before something is lost for good: its name has to be typed."""

import sys

from pointsman_cli.context import Context
from pointsman_cli.errors import UsageError
from pointsman_cli.platforms.base import Removal


def confirm(context: Context, removal: Removal) -> None:
    """Return once the name was typed, or at once when nothing would be lost.

    Raises `UsageError` when something else was typed, or nobody is there to type.
    """
    if not removal.lost:
        return
    what = f"destroying {removal.name} {_loses(removal)}"
    if not somebody_types():
        raise UsageError(what, "Nobody is here to confirm it: add --yes if that is meant.")
    context.output.warn(what)
    sys.stderr.write(f"Type {removal.name} to destroy it: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != removal.name:
        raise UsageError(
            "that is not its name; nothing was changed",
            f"Type {removal.name} when asked, or say --yes.",
        )


def told(removal: Removal) -> str:
    """Say what would be done, and what would be lost with it."""
    lost = [f"which {_loses(removal)}"] if removal.lost else []
    return "\n".join([*removal.steps, *lost])


def somebody_types() -> bool:
    """Tell whether there is a keyboard to confirm at."""
    return sys.stdin.isatty()


def _loses(removal: Removal) -> str:
    return f"loses for good: {', '.join(removal.lost)}"
