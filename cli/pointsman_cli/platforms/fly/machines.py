"""Machines as `fly machine list --json` tells of them, and what that means: pure.

Shapes are those of fly-go's `machine_types.go`; only what is used is read, and what is missing is
nothing said. Times are milliseconds since 1970, by Fly's clock.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

_PLATFORM = "fly_platform_version"
_RELEASE = "fly_release_version"
_GROUP = "fly_process_group"
_GONE = ("destroying", "destroyed", "replaced")
_SLEEPING = ("stopped", "suspended", "stopping", "suspending", "created")
_BROKEN = ("failed", "launch_failed")
_BEGINNINGS = ("launch", "update")
_IGNORED_CHECKS = "bg_deployments"
_EMPTY: dict[str, Any] = {}


class Check(msgspec.Struct, frozen=True):
    """A health check's last result."""

    name: str = ""
    status: str = ""
    output: str | None = ""

    @property
    def passing(self) -> bool:
        """Whether the machine is well, as far as this check tells."""
        return self.status == "passing"


class Exit(msgspec.Struct, frozen=True):
    """How a machine's program ended."""

    exit_code: int = 0
    oom_killed: bool = False
    requested_stop: bool = False
    signal: int = 0


class Request(msgspec.Struct, frozen=True):
    """What an event came with."""

    exit_event: Exit | None = None


class Event(msgspec.Struct, frozen=True):
    """Something that happened to a machine."""

    type: str = ""
    status: str = ""
    request: Request | None = None
    timestamp: int = 0


class ImageReference(msgspec.Struct, frozen=True):
    """Which image a machine was made of."""

    registry: str = ""
    repository: str = ""
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        name = "/".join(part for part in (self.registry, self.repository) if part)
        return f"{name}:{self.tag}" if self.tag else f"{name}@{self.digest}"


class Configuration(msgspec.Struct, frozen=True):
    """What a machine was told to be."""

    metadata: dict[str, str] = _EMPTY
    standbys: list[str] | None = None


class FlyMachine(msgspec.Struct, frozen=True):
    """One machine."""

    id: str
    name: str = ""
    state: str = ""
    region: str = ""
    image_ref: ImageReference = ImageReference()
    config: Configuration | None = None
    incomplete_config: Configuration | None = None
    events: list[Event] | None = None
    checks: list[Check] | None = None
    host_status: str = "ok"
    updated_at: str = ""

    @property
    def metadata(self) -> dict[str, str]:
        """What flyctl wrote down; Fly tells less while the machine's host is away."""
        return (self.config or self.incomplete_config or Configuration()).metadata

    @property
    def release(self) -> int:
        """The number of the release that made it what it is; 0 when it was none."""
        number = self.metadata.get(_RELEASE, "")
        return int(number) if number.isdecimal() else 0

    @property
    def group(self) -> str:
        """The process group that it belongs to."""
        return self.metadata.get(_GROUP, "app")

    @property
    def runs(self) -> bool:
        """Whether its program is at work."""
        return self.state == "started"

    @property
    def sleeps(self) -> bool:
        """Whether it was put to rest, and may be woken."""
        return self.state in _SLEEPING

    @property
    def broken(self) -> bool:
        """Whether Fly gave up on it."""
        return self.state in _BROKEN

    @property
    def health(self) -> list[Check]:
        """Its checks, without those that a strategy makes for itself."""
        return [each for each in self.checks or () if not each.name.startswith(_IGNORED_CHECKS)]

    @property
    def well(self) -> bool:
        """Whether it runs, and every check passes; a machine without a result is not well yet."""
        return self.runs and bool(self.health) and all(each.passing for each in self.health)

    @property
    def failing(self) -> Check | None:
        """The first check that does not pass."""
        return next((each for each in self.health if not each.passing), None)


def decoded(text: str) -> list[FlyMachine]:
    """Read the answer; raises `msgspec.DecodeError` (or its `ValidationError`) for another one."""
    return msgspec.json.decode(text, type=list[FlyMachine] | None) or []


def deployed(machines: Iterable[FlyMachine]) -> list[FlyMachine]:
    """Return those that `fly deploy` looks after: others are none of our business."""
    return [
        each
        for each in machines
        if each.metadata.get(_PLATFORM) == "v2" and each.state not in _GONE
    ]


def serving(machines: Sequence[FlyMachine]) -> list[FlyMachine]:
    """Return those that take requests: no standby, and not what a strategy keeps aside."""
    return [each for each in machines if not (each.config and each.config.standbys)]


def crash(machine: FlyMachine, since: int) -> Exit | None:
    """Return how a machine's program ended by itself at or after `since`; None when it did not."""
    for event in machine.events or ():
        if event.type in _BEGINNINGS or event.timestamp < since:
            return None  # the newest come first: what is older was another program
        if event.type != "exit" or event.request is None:
            continue
        ended = event.request.exit_event
        if ended and not ended.requested_stop and (ended.exit_code or ended.oom_killed):
            return ended
    return None


def newest_event(machines: Iterable[FlyMachine]) -> int:
    """Return when something last happened to any of them, by Fly's clock; 0 when nothing did."""
    return max((event.timestamp for each in machines for event in each.events or ()), default=0)


def described(ended: Exit) -> str:
    """Say how a program ended."""
    if ended.oom_killed:
        return "was killed because it ran out of memory"
    if ended.signal > 0:
        return f"was ended by signal {ended.signal}"
    return f"ended with exit code {ended.exit_code}"


def word(machine: FlyMachine) -> str:
    """Say in a few words how a machine is doing, for progress and `status`."""
    if not machine.runs:
        return machine.state or "unknown"
    if not machine.health:
        return "started, no check has run"
    passing = sum(each.passing for each in machine.health)
    return f"started, {passing} of {len(machine.health)} checks passing"
