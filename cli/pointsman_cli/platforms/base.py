"""What a platform can do, and what a deployment is.

Third parties add platforms through the entry-point group `pointsman.platforms`; the built-in
ones come through the same door.

The command asks in this order: `check`, and it stops at an error; `plan`, which is all that
`--dry-run` shows; `deploy`, which raises `DeploymentFailed` when the new release does not serve;
`reached`, through which the same verification follows every deployment.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pointsman.findings import Finding
from pointsman_cli.context import Context


class ImageFrom(StrEnum):
    """Where a platform takes the image from that it is to run, if the operator names none."""

    NOWHERE = "nowhere"
    """It runs no image, or makes it on its side: `Wanted.image` stays "" ."""
    ENGINE = "engine"
    """From this machine's engine: the command builds `pointsman-service:TAG` first."""
    REGISTRY = "registry"
    """From the repository under [image]: the command builds and pushes it first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What `deploy` was asked for; None or "" where what runs, or the configuration, decides."""

    image: str = ""
    """The image to run. `check` and `plan` learn what it will be called, `deploy` gets one that
    exists where `Platform.image_from` says, pinned by digest if it was pushed."""
    auto_rollback: bool = False
    """Whether to go back to the previous image when the new release fails."""
    timeout: float = 120.0
    """How many seconds the service may take until it serves, once it runs."""
    host: str | None = None
    """Local only: the address to listen on."""
    port: int | None = None
    """Local only: the port; 0 is any."""
    restart: bool = False
    """Whether to replace what runs even if it is as wanted."""
    docker: bool = False
    """Local only: run the image, instead of a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What deploying would do."""

    steps: Sequence[str]
    """Sentences, in order."""
    image: str = ""
    """The image that would run, and its size."""
    memory: str = ""
    """Whether the model fits into an instance; see `platforms.memory`."""
    cost: str = ""
    """Dollars per month, in one line."""
    manifest: str = ""
    """What would be sent, where that is a text worth reading (Kubernetes)."""

    def document(self) -> dict[str, Any]:
        """Return what `--json` gives."""
        facts = {"image": self.image, "memory": self.memory, "cost": self.cost}
        return {"plan": list(self.steps)} | {name: value for name, value in facts.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One instance of a deployment as its platform sees it."""

    name: str
    state: str
    region: str = ""
    image: str = ""
    release: str = ""
    note: str = ""
    """What an operator should know of it: a failing check, why it ended, what to type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A service that a platform runs."""

    platform: str
    name: str
    url: str
    instance: str = ""
    pid: int = 0
    log: str = ""
    image: str = ""
    """The image that runs, by digest if the platform tells it."""
    release: str = ""
    """What the platform calls this deployment: a release's number, a deployment's id."""
    machines: Sequence[Machine] = ()
    note: str = ""
    """How things stand, where that needs a sentence."""

    def document(self) -> dict[str, Any]:
        """Return what `--json` gives; what does not apply is left out."""
        shown = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}
        if self.machines:
            names = Machine.__slots__
            shown["machines"] = [
                {name: value for name in names if (value := getattr(each, name))}
                for each in self.machines
            ]
        return shown


@dataclass(frozen=True, slots=True)
class Way:
    """How a service can be asked: the first of several is the public one."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every question, e.g. to reach one instance and no other."""
    instance: str = ""
    """Which instance answers there; "" is any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What `destroy` would do."""

    name: str
    """What is removed, and has to be typed first if something is lost with it."""
    steps: Sequence[str]
    lost: Sequence[str] = ()
    """What cannot be had back: an address, a volume, secrets. Empty needs no confirmation."""


class Platform(Protocol):
    """One way to run the service for one model and channel."""

    def __init__(self, context: Context) -> None:
        """Work for this invocation."""

    def image_from(self, wanted: Wanted) -> ImageFrom:
        """Say where the image has to be; the command puts it there before `deploy`."""
        ...

    def check(self, wanted: Wanted) -> Sequence[Finding]:
        """Find out what will not work, before anything changes; `doctor --platform` shows it.

        A finding of severity error stops `deploy`.
        """
        ...

    def plan(self, wanted: Wanted) -> Plan:
        """Say what deploying would do; changes nothing."""
        ...

    def deploy(self, wanted: Wanted) -> Deployment:
        """Release the service; returns when the platform says that it runs, ready or not.

        Raises `DeploymentFailed` with the cause in one sentence, and what serves now in the hint;
        with `wanted.auto_rollback` after having gone back. Raises `Unverified` where the release
        is in place but the platform does not confirm it.
        """
        ...

    def reached(self, deployment: Deployment) -> AbstractContextManager[Sequence[Way]]:
        """Yield the ways to the service while the block runs; the first is the public one."""
        ...

    def status(self) -> Deployment | None:
        """Return what is deployed; None when nothing is."""
        ...

    def logs(self, *, follow: bool, lines: int) -> Iterator[str]:
        """Yield the service's last log lines, and with `follow` those that come."""
        ...

    def removal(self) -> Removal | None:
        """Say what `destroy` would do; None when there is nothing to remove."""
        ...

    def destroy(self) -> bool:
        """End the service and forget it; False when there was none."""
        ...

    def earlier_image(self, to: str) -> str:
        """Name the image that `roll_back_image` would run; changes nothing.

        Raises `CommandError` when there is none.
        """
        ...

    def roll_back_image(self, to: str, timeout: float) -> Deployment:
        """Run an image that ran before: `to`, or with "" the previous one.

        Raises `CommandError` when there is none, else as `deploy` does. `timeout` is in seconds.
        """
        ...
