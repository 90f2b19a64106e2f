"""What a deployment would change, in sentences: names of variables, never their values."""

from collections.abc import Iterator

from pointsman_cli.context import Context
from pointsman_cli.moves import present
from pointsman_cli.platforms.base import Plan, Wanted
from pointsman_cli.platforms.railway import configuring, plans
from pointsman_cli.platforms.railway.api import services
from pointsman_cli.platforms.railway.api.services import Address
from pointsman_cli.platforms.railway.session import PORT, Session
from pointsman_cli.platforms.railway.settings import differences
from pointsman_cli.units import counted, size

_LARGE_BYTES = 10_000_000


def plan(session: Session, wanted: Wanted) -> Plan:
    """Return what deploying would do; changes nothing."""
    replicas = session.settings.replicas
    subscription = session.site.project.plan if session.site.project else ""
    needed = _measured(session.context)
    return Plan(
        steps=list(_steps(session, wanted)),
        image=wanted.image or f"built by Railway from {session.settings.build.dockerfile_path}",
        memory=plans.memory(needed, replicas, subscription),
        cost=plans.cost(needed, replicas, subscription),
    )


def _steps(session: Session, wanted: Wanted) -> Iterator[str]:
    site, address = session.site, session.site.address
    if site.project is None:
        yield f"make project {site.project_name}"
    elif site.environment is None:
        yield f"make environment {site.environment_name}"
    if site.service is None:
        yield f"make service {site.names.service}"
    domains = services.domains(session.client, address) if address else []
    port = domains[0].port if domains and domains[0].port else PORT
    yield from _told(session, wanted, address, port)
    if not domains:
        yield f"make a public address that leads to port {PORT}"
    yield _release(session, wanted)


def _told(session: Session, wanted: Wanted, address: Address | None, port: int) -> Iterator[str]:
    desired = session.desired(wanted.image, port)
    variables = services.variables(session.client, address) if address else {}
    if names := configuring.changed(variables, desired.variables):
        yield f"set {counted(len(names), 'variable')}: {', '.join(names)}"
    if address is None:
        told = [f"{name} = {value}" for name, value in desired.settings.items() if name != "source"]
        yield f"set {', '.join(told)}"
        return
    found = services.settings(session.client, address)
    if wrong := differences(desired.settings, found):
        yield f"change settings: {'; '.join(wrong)}"


def _release(session: Session, wanted: Wanted) -> str:
    title = session.site.title
    if wanted.image:
        return f"deploy {wanted.image} to {title}"
    selection = session.selection
    what = f"{counted(len(selection.files), 'file')}, {size(selection.size)}"
    if selection.size > _LARGE_BYTES:
        largest = ", ".join(f"{each.name} {size(each.size)}" for each in selection.largest)
        what += f" (the largest: {largest})"
    return f"upload {what}, have it built, and deploy it to {title}"


def _measured(context: Context) -> int | None:
    """Return what the version that would serve was measured to need, in bytes."""
    registry, channel = context.registry, present(context)
    if channel is not None:
        version = registry.resolve(context.model, channel.stable)
        return version.manifest.measured.peak_rss_bytes
    versions = registry.versions(context.model)
    return versions[0].manifest.measured.peak_rss_bytes if len(versions) == 1 else None
