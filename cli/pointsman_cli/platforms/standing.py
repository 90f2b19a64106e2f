"""How a deployment stands, for `status`: as its platform tells it, which may be out of reach."""

from pointsman.errors import PointsmanError
from pointsman_cli.context import Context
from pointsman_cli.errors import UsageError
from pointsman_cli.platforms.base import Deployment, Machine
from pointsman_cli.platforms.discovery import platform

_COLUMNS = ("machine", "state", "region", "release", "image", "")


def deployment(context: Context, named: str | None) -> Deployment | None:
    """Return what is deployed; None when nothing is, or when its platform does not tell.

    What the store says is worth showing all the same, so that is a warning only.
    """
    where = platform(named, context)
    try:
        return where.status()
    except UsageError:
        raise
    except PointsmanError as error:
        context.output.warn(f"{context.platform(named)}: {error.message}", error.hint)
        return None


def tell(context: Context, deployed: Deployment) -> None:
    """Show it, and its machines."""
    output = context.output
    if deployed.platform == "local":
        output.step(f"{deployed.instance} runs here, at {deployed.url}")
    else:
        release = f", release {deployed.release}" if deployed.release else ""
        output.step(f"{deployed.name} on {deployed.platform}, at {deployed.url}{release}")
    if deployed.machines:
        output.table(_COLUMNS, [_row(each) for each in deployed.machines])
    if deployed.note:
        output.warn(deployed.note)


def _row(machine: Machine) -> list[str]:
    return [
        machine.name,
        machine.state,
        machine.region,
        machine.release,
        machine.image,
        machine.note,
    ]
