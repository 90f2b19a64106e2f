"""The service as a container on this machine: the same image that goes elsewhere.

A new image is first tried on a free port, beside what runs. Only when it serves there does it
take the other's place: an image that does not start leaves everything as it was.
"""

import functools
import secrets
from collections.abc import Iterator
from pathlib import Path

from pointsman import findings
from pointsman.findings import Finding
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, DeploymentFailed
from pointsman_cli.images import engine as engines
from pointsman_cli.images import making
from pointsman_cli.images.engine import Engine
from pointsman_cli.platforms import addresses
from pointsman_cli.platforms import record as processes
from pointsman_cli.platforms.base import Deployment, Plan, Removal, Wanted
from pointsman_cli.platforms.containers import arguments, launcher
from pointsman_cli.platforms.containers import record as records
from pointsman_cli.platforms.containers.launcher import DoesNotServe, Launcher
from pointsman_cli.platforms.containers.record import Record

_ANSWER_SECONDS = 60.0


class Container:
    """One container per model and channel of a project."""

    def __init__(self, context: Context, name: str, directory: Path) -> None:
        self._context = context
        self._title = name
        self._directory = directory
        self._settings = context.project.configuration.local

    @property
    def record(self) -> Record | None:
        """What is on record; None where nothing was deployed as a container."""
        return records.read(self._directory)

    def check(self, wanted: Wanted) -> list[Finding]:
        """Find out whether there is an engine, a port, and a way to the store."""
        try:
            engine = self._engine
        except CommandError as error:
            return [findings.error("engine", error.message, error.hint)]
        found = [findings.ok("engine", f"{engine.name} answers")]
        host, port = self._address(wanted)
        ours = self.record
        mine = ours is not None and (ours.host, ours.port) == (host, port)
        if not mine and (reason := addresses.refusal(host, port)):
            text = f"port {port} on {host} cannot be used: {reason}"
            hint = "Choose another with --port; 0 takes any free one."
            found.append(findings.error("port", text, hint))
        return [*found, *self._check_endpoint()]

    def plan(self, wanted: Wanted) -> Plan:
        """Say what deploying would do."""
        record = self.record
        host, port = self._address(wanted)
        where = f"{host}, port {port or 'chosen by the system'}"
        if record is None:
            return Plan(steps=[f"start {self._title} as a container on {where}"])
        if self._stays(record, wanted):
            return Plan(steps=[f"leave {self._title} running at {record.url}"])
        return Plan(
            steps=[
                f"try {wanted.image} on a free port",
                f"end the container at {record.url}, and start the new one on {where}",
            ]
        )

    def deploy(self, wanted: Wanted) -> Deployment:
        """Start the image; raises `DeploymentFailed` where it does not serve."""
        with processes.held(self._directory, self._tell_occupied):
            record = self.record
            if record and self._stays(record, wanted):
                return self._deployment(record)
            image = making.existing(self._context, wanted.image).reference
            host, port = self._address(wanted)
            if record and self._launcher.runs(record.name):
                self._try(image, wanted.timeout)
                return self._replace(record, image, host, port)
            return self._start_first(image, host, port, record)

    def status(self) -> Deployment | None:
        """Return the running container; None when there is none."""
        record = self.record
        return self._deployment(record) if record and self._launcher.runs(record.name) else None

    def logs(self, *, follow: bool, lines: int) -> Iterator[str]:
        """Yield what the container says."""
        record = self.record
        if record is None:
            raise CommandError(f"{self._title} is not deployed here")
        return self._engine.logs(record.name, follow=follow, lines=lines)

    def removal(self) -> Removal | None:
        """Say what would end; the cache is filled again from the store."""
        record = self.record
        if record is None:
            return None
        return Removal(name=self._title, steps=[f"end the container {record.name} at {record.url}"])

    def destroy(self) -> bool:
        """End the container in good order, and forget it with its cache."""
        record = self.record
        if record is None:
            return False
        with processes.held(self._directory, self._tell_occupied):
            self._context.stands("It was told to end; `pointsman destroy` waits until it has.")
            # The other two are what a command that was killed may have left behind.
            for name in (record.name, f"{record.name}-trial", launcher.aside(record.name)):
                self._launcher.end(name)
            self._engine.remove_volume(arguments.volume(record.name))
            records.forget(self._directory)
        return True

    def roll_back_image(self, to: str, timeout: float) -> Deployment:
        """Run the image that ran before, or one that is named."""
        return self.deploy(Wanted(image=self.earlier_image(to), timeout=timeout, docker=True))

    def earlier_image(self, to: str) -> str:
        """Name the image that ran before, or return the one that is named."""
        record = self.record
        image = to or (record.previous if record else "")
        if record is None or not image:
            raise CommandError(
                f"no image ran here before the one of {self._title}",
                "`pointsman rollback` goes back to the version that served before.",
            )
        return image

    def _start_first(self, image: str, host: str, port: int, before: Record | None) -> Deployment:
        """Start an image where none runs; one that does not start leaves nothing behind."""
        record = self._record(image, host, port, before.image if before else "")
        self._context.stands(
            f"The container is starting at {record.url} all the same: `pointsman deploy` looks "
            "again, `pointsman destroy` ends it."
        )
        records.write(self._directory, record)
        try:
            self._launcher.start(record)
            self._launcher.wait(record, ready=False, seconds=_ANSWER_SECONDS)
        except (CommandError, DoesNotServe) as error:
            self._engine.remove(record.name)
            records.forget(self._directory)
            raise _failed(image, error, "Nothing serves here now.") from error
        return self._deployment(record)

    def _try(self, image: str, seconds: float) -> None:
        """Run an image beside what runs until it is ready; raises `DeploymentFailed`."""
        host = self._settings.host
        trial = self._record(image, host, 0, "", suffix="-trial")
        self._context.output.step(f"trying {image} at {trial.url}")
        try:
            self._launcher.start(trial, restarts=False)
            self._launcher.wait(trial, ready=True, seconds=seconds)
        except (CommandError, DoesNotServe) as error:
            raise _failed(image, error, self._serving) from error
        finally:
            self._launcher.end(trial.name)

    def _replace(self, old: Record, image: str, host: str, port: int) -> Deployment:
        """Put a tried image in the place of what runs; should it not start, that comes back."""
        previous = old.image if old.image != image else old.previous
        record = self._record(image, host, port, previous)
        self._context.stands("What ran was told to end; `pointsman deploy` starts it anew.")
        try:
            self._context.output.step(f"ending {old.name}, requests in flight first")
            self._launcher.set_aside(old.name)
            self._launcher.start(record)
            self._launcher.wait(record, ready=False, seconds=_ANSWER_SECONDS)
        except BaseException as error:
            self._launcher.bring_back(old.name)
            if isinstance(error, CommandError | DoesNotServe):
                raise _failed(image, error, self._serving) from error
            self._context.stands(self._serving)
            raise
        records.write(self._directory, record)
        self._launcher.forget(old.name)
        return self._deployment(record)

    def _stays(self, record: Record, wanted: Wanted) -> bool:
        return (
            not wanted.restart
            and wanted.image == record.image
            and wanted.host in {None, record.host}
            and wanted.port in {None, 0, record.port}
            and self._launcher.runs(record.name)
        )

    @functools.cached_property
    def _engine(self) -> Engine:
        return engines.find(self._context.project.configuration.image.engine)

    @functools.cached_property
    def _launcher(self) -> Launcher:
        return Launcher(self._context, self._engine)

    @property
    def _serving(self) -> str:
        record = self.record
        return f"{record.image} goes on serving at {record.url}." if record else ""

    def _check_endpoint(self) -> list[Finding]:
        endpoint = launcher.told(self._context).get("AWS_ENDPOINT_URL_S3", "")
        if self._settings.network == "host" or not addresses.is_loopback(endpoint):
            return []
        return [
            findings.error(
                "store",
                f"{endpoint} leads to this machine, and from a container to the container itself",
                'Put network = "host" under [local], or name an address that both can reach.',
            )
        ]

    def _address(self, wanted: Wanted) -> tuple[str, int]:
        """Return host and port: as asked for, else as it was, else as configured."""
        usual = self.record or self._settings
        port = usual.port if wanted.port is None else wanted.port
        return wanted.host or usual.host, port

    def _record(self, image: str, host: str, port: int, previous: str, suffix: str = "") -> Record:
        port = port or addresses.free_port(host)
        return Record(
            name=f"{records.container_name(self._directory)}{suffix}",
            instance=f"local-{secrets.token_hex(3)}",
            url=addresses.url(host, port),
            host=host,
            port=port,
            image=image,
            previous=previous,
        )

    def _deployment(self, record: Record) -> Deployment:
        return Deployment(
            platform="local",
            name=self._title,
            url=record.url,
            instance=record.instance,
            image=record.image,
        )

    def _tell_occupied(self) -> None:
        self._context.output.step(f"waiting for another pointsman to finish with {self._title}")


def _failed(image: str, error: Exception, serving: str) -> DeploymentFailed:
    return DeploymentFailed(f"the image {image} does not serve: {error}", serving)
