"""The platform as the command asks for it: each question, and which module answers it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from pointsman.findings import Finding
from pointsman_cli.context import Context
from pointsman_cli.errors import DeploymentFailed
from pointsman_cli.platforms.base import Deployment, ImageFrom, Machine, Plan, Removal, Wanted, Way
from pointsman_cli.platforms.railway import checks, configuring, images, planning, sites
from pointsman_cli.platforms.railway.api import deployments, services
from pointsman_cli.platforms.railway.api.deployments import Release
from pointsman_cli.platforms.railway.api.services import Address
from pointsman_cli.platforms.railway.failures import serving
from pointsman_cli.platforms.railway.journal import Journal
from pointsman_cli.platforms.railway.outcomes import Outcome, outcome, waiting
from pointsman_cli.platforms.railway.releasing import Releasing
from pointsman_cli.platforms.railway.session import PORT, Session


class RailwayPlatform:
    """One service of one project at Railway per model, channel and environment."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._session = Session(context)

    def image_from(self, wanted: Wanted) -> ImageFrom:  # noqa: ARG002
        """Take it from the repository under [image], or else have the source built by Railway."""
        repository = self._context.project.configuration.image.repository
        return ImageFrom.REGISTRY if repository else ImageFrom.NOWHERE

    def check(self, wanted: Wanted) -> Sequence[Finding]:
        """Find out what will not work, before anything changes."""
        return checks.check(self._session, wanted)

    def plan(self, wanted: Wanted) -> Plan:
        """Say what deploying would do; changes nothing."""
        return planning.plan(self._session, wanted)

    def deploy(self, wanted: Wanted) -> Deployment:
        """Make what is missing, tell it everything, and release; returns when Railway says so."""
        session, output = self._session, self._context.output
        image = images.checked(wanted.image) if wanted.image else ""
        self._context.stands("What was made stays, and is found again: nothing was released.")
        session.site = sites.make(session.client, session.site, output.step)
        address = session.address
        domain = self._domain(address)
        desired = session.desired(image, domain.port or PORT)
        told = configuring.apply(session.client, session.site, address, desired)
        if told:
            output.step(told)
        releasing = Releasing(session, address)
        if not told and not wanted.restart and (current := releasing.already(image)):
            output.step("this image runs already, with these settings: it is left alone")
            return self._deployment(address, current)
        try:
            started = releasing.run_image() if image else releasing.build_source()
            output.step(f"deployment {started} has begun")
            release = releasing.followed(started, image)
        except DeploymentFailed as failed:
            raise (releasing.gone_back(failed) if wanted.auto_rollback else failed) from failed
        return self._deployment(address, release)

    @contextmanager
    def reached(self, deployment: Deployment) -> Iterator[Sequence[Way]]:
        """Yield the public way: instances cannot be asked one by one."""
        yield [Way(deployment.url)]

    def status(self) -> Deployment | None:
        """Return what serves, or was deployed last; None when nothing ever was."""
        address = self._session.site.address
        if address is None:
            return None
        client = self._session.client
        latest = deployments.latest(client, address)
        if not latest:
            return None
        current = serving(client, address)
        shown = deployments.read(client, (current or latest[0]).id)
        return self._deployment(address, shown, _note(latest[0], current))

    def logs(self, *, follow: bool, lines: int) -> Iterator[str]:
        """Yield the service's last log lines, and with `follow` those that come."""
        journal = Journal(self._session.client, self._session.address)
        return journal.follow(lines) if follow else journal.last(lines)

    def removal(self) -> Removal | None:
        """Say what `destroy` would do; None when there is no such service."""
        site, address = self._session.site, self._session.site.address
        if address is None or site.service is None:
            return None
        hosts = [each.host for each in services.domains(self._session.client, address)]
        return Removal(
            name=site.service.name,
            steps=[
                f"delete service {site.title}",
                f"leave project {site.project_name}, and whatever else is in it",
            ],
            lost=[*(f"the address {host}" for host in hosts), "its variables", "its logs"],
        )

    def destroy(self) -> bool:
        """Delete the service in this environment; the project stays."""
        address = self._session.site.address
        if address is None:
            return False
        services.delete(self._session.client, address)
        return True

    def roll_back_image(self, to: str, timeout: float) -> Deployment:  # noqa: ARG002 — see below
        """Run what ran before, with its settings and variables of then.

        How long that may take depends on Railway and the health check, as for any deployment.
        """
        address = self._session.address
        release = Releasing(self._session, address).back_to(to)
        return self._deployment(address, release)

    def earlier_image(self, to: str) -> str:
        """Name the image that ran before; one that Railway built is named by its deployment."""
        release = Releasing(self._session, self._session.address).earlier(to)
        return release.image or release.digest or f"deployment {release.id}"

    def _domain(self, address: Address) -> services.Domain:
        """Return the public address, made if there is none: its name cannot be predicted."""
        client = self._session.client
        for domain in services.domains(client, address):
            return domain
        self._context.output.step("making a public address")
        return services.create_domain(client, address, PORT)

    def _deployment(self, address: Address, release: Release, note: str = "") -> Deployment:
        client = self._session.client
        domains = services.domains(client, address)
        scheme = urlsplit(client.base).scheme
        return Deployment(
            platform="railway",
            name=self._session.site.title,
            url=f"{scheme}://{domains[0].host}" if domains else "",
            image=release.digest or release.image,
            release=release.id,
            machines=[
                Machine(
                    name=each["id"],
                    state=each["status"].lower(),
                    image=release.image,
                    release=release.id,
                )
                for each in release.instances
            ],
            note=note,
        )


def _note(latest: Release, current: Release | None) -> str:
    """Say what became of the last deployment, where it is not the one that serves."""
    if current is not None and latest.id == current.id:
        return ""
    if outcome(latest.status) is Outcome.WAIT:
        return f"deployment {latest.id} is on its way: {waiting(latest.status)}"
    serves = "" if current else "; nothing serves"
    return f"the last deployment, {latest.id}, ended as {latest.status}{serves}"
