"""What a platform can do, and what a deployment is.

Third parties add platforms through the entry-point group `pointsman.platforms`; the built-in
ones come through the same door.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from pointsman_cli.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What `deploy` was asked for; None where what runs, or else the configuration, decides."""

    host: str | None = None
    port: int | None = None
    restart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A service that a platform runs."""

    platform: str
    name: str
    url: str
    instance: str
    pid: int = 0
    log: str = ""

    def document(self) -> dict[str, Any]:
        """Return what `--json` gives."""
        return {name: getattr(self, name) for name in self.__slots__}


class Platform(Protocol):
    """One way to run the service for one model and channel."""

    def __init__(self, context: Context) -> None:
        """Work for this invocation."""

    def check(self, wanted: Wanted) -> None:
        """Raise a `PointsmanError` for what would make deploying fail, before anything changes."""
        ...

    def plan(self, wanted: Wanted) -> list[str]:
        """Say in sentences what deploying would do."""
        ...

    def deploy(self, wanted: Wanted) -> Deployment:
        """Start or replace the service; returns when it answers, ready or not."""
        ...

    def status(self) -> Deployment | None:
        """Return what is deployed; None when nothing is."""
        ...

    def logs(self, *, follow: bool, lines: int) -> Iterator[str]:
        """Yield the service's last log lines, and with `follow` those that come."""
        ...

    def destroy(self) -> bool:
        """End the service and forget it; False when there was none."""
        ...
