"""Whether every machine is what was released, and well: flyctl's word alone is not taken for it.

`fly deploy` ends with 0 although Fly put a machine back to its old image, and without having
looked at machines that sleep. So each machine's image, release and checks are compared here, and
where all sleep, one is woken.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pointsman_cli.errors import DeploymentFailed, Unverified
from pointsman_cli.platforms.fly import machines as of
from pointsman_cli.platforms.fly.flyctl import FlyFailed
from pointsman_cli.platforms.fly.machines import FlyMachine
from pointsman_cli.platforms.fly.progress import Progress

_LOOK_SECONDS = 1.0
_SETTLING_LOOKS = 3
"""Fly's list of machines may be a moment behind."""


@dataclass(frozen=True, slots=True)
class Released:
    """What every machine has to be: an image by its reference, its digest where known."""

    image: str
    digest: str = ""
    release: int = 0
    """0 where machines may be of several, as long as the image is the same."""


def strangers(machines: Sequence[FlyMachine], released: Released) -> list[str]:
    """Say of every machine that is not what was released what it is instead."""
    found = []
    for each in machines:
        if not has_image(each, released.image, released.digest):
            found.append(f"machine {each.id} runs {each.image_ref}, and not what was released")
        elif released.release and each.release != released.release:
            found.append(
                f"machine {each.id} is of release {each.release}, and not of {released.release}"
            )
    digests = {each.image_ref.digest for each in machines if each.image_ref.digest}
    if not found and len(digests) > 1:
        found.append(f"the machines run {len(digests)} different images under one name")
    return found


def ailing(machines: Sequence[FlyMachine]) -> list[str]:
    """Say of every machine that runs and is not well what it has; sleeping ones have nothing."""
    return [
        f"machine {each.id} {ailment}" for each in machines if (ailment := _ailment(each)) != ""
    ]


def ended(machines: Sequence[FlyMachine]) -> list[str]:
    """Say of every machine whose program ended by itself how it did."""
    return [
        f"machine {each.id} {of.described(crash)}"
        for each in machines
        if not each.runs and (crash := of.crash(each, 0))
    ]


def sleeper(machines: Sequence[FlyMachine], region: str) -> FlyMachine | None:
    """Return the machine to wake because all sleep; one of the primary region if there is."""
    if not all(each.sleeps for each in machines):
        return None
    return min(machines, key=lambda each: (each.region != region, each.id), default=None)


def has_image(machine: FlyMachine, image: str, digest: str = "") -> bool:
    """Tell whether a machine was made of an image: by digest where it is known, else by name."""
    name, _, named = image.partition("@")
    wanted = digest or named
    if wanted and machine.image_ref.digest:
        return machine.image_ref.digest == wanted
    # Fly pulls Docker Hub's images through a mirror, and calls them by its name.
    name = name.removeprefix("docker.io/")
    name = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
    return f"/{machine.image_ref}".endswith(f"/{name}")


@dataclass(frozen=True, slots=True)
class Examination:
    """Looks at machines until they are as released, or time is up."""

    listed: Callable[[], Sequence[FlyMachine]]
    wake: Callable[[FlyMachine], None]
    progress: Progress
    region: str

    def carry_out(self, released: Released, timeout: float) -> list[FlyMachine]:
        """Return the machines; raises `DeploymentFailed` for strangers, `Unverified` when late."""
        deadline = time.monotonic() + timeout
        looks = 0
        while True:
            looks += 1
            try:
                machines = of.serving(self.listed())
            except FlyFailed as failure:  # too many questions, or Fly hiccups
                machines, wrong = [], [f"Fly does not tell of its machines: {failure.message}"]
            else:
                self.progress.machines(machines)
                wrong = self._wrong(machines, released, settling=looks < _SETTLING_LOOKS)
            if machines and not wrong:
                if (asleep := sleeper(machines, self.region)) is None:
                    return machines
                self.wake(asleep)
                wrong = ["no machine woke up"]
            if time.monotonic() > deadline:
                raise _late(wrong)
            time.sleep(_LOOK_SECONDS)

    @staticmethod
    def _wrong(machines: Sequence[FlyMachine], released: Released, *, settling: bool) -> list[str]:
        """Return what may yet come right; raises `DeploymentFailed` for what will not."""
        wrong = strangers(machines, released) if machines else ["no machine was made"]
        if wrong and not settling:
            raise DeploymentFailed(
                f"Fly calls the release complete, but {wrong[0]}",
                "Fly puts a machine back when it cannot pull or start the image: "
                "`pointsman logs -p fly` says why; then deploy again.",
            )
        if not wrong and (crashes := ended(machines)):
            raise DeploymentFailed(
                crashes[0],
                "`pointsman logs -p fly` says more; `pointsman rollback --image -p fly` goes back.",
            )
        return wrong or ailing(machines)


def _ailment(machine: FlyMachine) -> str:
    if machine.host_status != "ok":
        return f"is on a host that is {machine.host_status}"
    if machine.broken:
        return f"is {machine.state}"
    if machine.runs and not machine.well:
        check = machine.failing
        output = " ".join((check.output or "").split())[:200] if check else ""
        reason = output or (check.status if check else "no check has run yet")
        return f"is not healthy: {reason}"
    return "" if machine.runs or machine.sleeps else f"is {machine.state}"


def _late(wrong: Sequence[str]) -> Unverified:
    return Unverified(
        f"the release is in place, but {wrong[0]}",
        "`pointsman status -p fly` shows every machine, `pointsman logs -p fly` what they say; "
        "`pointsman deploy -p fly` looks again.",
    )
