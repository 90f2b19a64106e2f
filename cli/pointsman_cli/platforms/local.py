"""The local platform: the service on this machine, as a supervised process or as a container.

A process is the default; `--docker` runs the image instead, and from then on so does every
command until `destroy`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pointsman import findings
from pointsman.findings import Finding
from pointsman_cli.context import Context
from pointsman_cli.platforms.base import Deployment, ImageFrom, Plan, Removal, Wanted, Way
from pointsman_cli.platforms.containers.container import Container
from pointsman_cli.platforms.supervised import Supervised


class LocalPlatform:
    """One service per model and channel."""

    def __init__(self, context: Context) -> None:
        self._name = f"{context.model}/{context.channel}"
        directory = context.project.state / "local" / context.model / context.channel
        self._process = Supervised(context, self._name, directory)
        self._container = Container(context, self._name, directory)

    def image_from(self, wanted: Wanted) -> ImageFrom:
        """A process needs none; a container takes it from the engine."""
        return ImageFrom.ENGINE if self._in_container(wanted) else ImageFrom.NOWHERE

    def check(self, wanted: Wanted) -> list[Finding]:
        """Find out whether it can run, and whether it runs in another way already."""
        if not self._in_container(wanted):
            return self._process.check(wanted)
        if self._process.status() is not None:
            return [
                findings.error(
                    "container",
                    f"{self._name} runs as a process here",
                    "`pointsman destroy --platform local` ends it; then deploy again.",
                )
            ]
        return self._container.check(wanted)

    def plan(self, wanted: Wanted) -> Plan:
        """Say what deploying would do."""
        return self._way(wanted).plan(wanted)

    def deploy(self, wanted: Wanted) -> Deployment:
        """Start the service, or leave it if it already runs as wanted."""
        return self._way(wanted).deploy(wanted)

    @contextmanager
    def reached(self, deployment: Deployment) -> Iterator[list[Way]]:
        """Yield the one address."""
        yield [Way(deployment.url)]

    def status(self) -> Deployment | None:
        """Return the running service; None when there is none, or it died."""
        return self._way().status()

    def logs(self, *, follow: bool, lines: int) -> Iterator[str]:
        """Yield lines of the log."""
        return self._way().logs(follow=follow, lines=lines)

    def removal(self) -> Removal | None:
        """Say what would end; nothing is lost with it."""
        return self._way().removal()

    def destroy(self) -> bool:
        """End the service in good order, and forget it."""
        ended = self._container.destroy()
        return self._process.destroy() or ended

    def earlier_image(self, to: str) -> str:
        """Name the image that ran before; a process has none."""
        return self._way().earlier_image(to)

    def roll_back_image(self, to: str, timeout: float) -> Deployment:
        """Run the image that ran before; a process has none."""
        return self._way().roll_back_image(to, timeout)

    def _in_container(self, wanted: Wanted | None) -> bool:
        return bool(wanted and wanted.docker) or self._container.record is not None

    def _way(self, wanted: Wanted | None = None) -> Supervised | Container:
        return self._container if self._in_container(wanted) else self._process
