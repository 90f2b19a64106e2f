"""An app and its machines, as `status` shows them: pure, but for the time that is given."""

from collections.abc import Iterable
from datetime import UTC, datetime

from pointsman_cli.platforms.base import Deployment, Machine
from pointsman_cli.platforms.fly import machines as of
from pointsman_cli.platforms.fly.machines import FlyMachine
from pointsman_cli.platforms.fly.reply import App
from pointsman_cli.units import duration

# How long each may take before Fly's documentation calls a machine wedged, in seconds.
_WEDGED = {"starting": 300, "stopping": 300, "created": 600, "updating": 600, "replacing": 600}


def deployment(app: App, found: Iterable[FlyMachine], now: datetime | None = None) -> Deployment:
    """Return what is deployed."""
    moment = now or datetime.now(UTC)
    machines = [shown(each, app.name, moment) for each in found]
    images = {each.image for each in machines}
    return Deployment(
        platform="fly",
        name=app.name,
        url=app.url,
        release=str(app.version) if app.version else "",
        image=images.pop() if len(images) == 1 else "",
        machines=machines,
        note=_note(machines, images),
    )


def shown(machine: FlyMachine, app: str, now: datetime) -> Machine:
    """Return one machine, with what an operator should know of it."""
    return Machine(
        name=machine.id,
        state=of.word(machine),
        region=machine.region,
        image=image(machine),
        release=str(machine.release or ""),
        note=_trouble(machine, app, now),
    )


def image(machine: FlyMachine) -> str:
    """Name the image that a machine was made of, by name and digest."""
    reference = machine.image_ref
    digest = f"@{reference.digest}" if reference.tag and reference.digest else ""
    return f"{reference}{digest}"


def _trouble(machine: FlyMachine, app: str, now: datetime) -> str:
    if machine.host_status != "ok":
        return f"its host is {machine.host_status}; https://status.flyio.net tells more"
    age = _age(machine, now)
    if age is not None and age > _WEDGED.get(machine.state, float("inf")):
        return (
            f"{machine.state} for {duration(age)}: `fly machine destroy {machine.id} --force "
            f"--app {app}`, then `pointsman deploy -p fly`"
        )
    if machine.broken:
        return "Fly gave up on it: `pointsman logs -p fly` says why"
    if (ended := of.crash(machine, 0)) and not machine.well:
        return f"its program {of.described(ended)}"
    check = machine.failing if machine.runs else None
    return " ".join((check.output or check.status).split())[:200] if check else ""


def _age(machine: FlyMachine, now: datetime) -> float | None:
    try:
        updated = datetime.fromisoformat(machine.updated_at)
    except ValueError:
        return None
    return (now - updated).total_seconds() if updated.tzinfo else None


def _note(machines: list[Machine], images: set[str]) -> str:
    if not machines:
        return "It has no machine: `pointsman deploy -p fly` makes one."
    if len(images) > 1:
        return "Its machines run different images: `pointsman deploy -p fly` brings them together."
    return ""
