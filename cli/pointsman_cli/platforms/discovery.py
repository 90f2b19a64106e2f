"""Finding platforms by name, built-in or installed."""

from importlib.metadata import EntryPoints, entry_points
from typing import cast

from pointsman_cli.context import Context
from pointsman_cli.errors import UsageError
from pointsman_cli.platforms.base import Platform

GROUP = "pointsman.platforms"


def platform(named: str | None, context: Context) -> Platform:
    """Return the platform called `named`, or the configured one; raises `UsageError` for none."""
    name = context.platform(named)
    found = require(name)
    return cast("type[Platform]", found[name].load())(context)


def require(name: str) -> EntryPoints:
    """Return the platforms that are installed; raises `UsageError` if `name` is none of them."""
    found = entry_points(group=GROUP)
    if name not in found.names:
        raise UsageError(
            f"there is no platform {name!r}", f"There is: {', '.join(sorted(found.names))}."
        )
    return found
