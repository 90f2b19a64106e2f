"""The service as a supervised process on this machine.

The supervisor outlives the command; its record lies in `.pointsman/local/<model>/<channel>/`,
beside the log.
"""

import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pointsman import findings
from pointsman.findings import Finding
from pointsman_cli import client, process
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, DeploymentFailed
from pointsman_cli.platforms import addresses, log_tail
from pointsman_cli.platforms import record as records
from pointsman_cli.platforms.base import Deployment, Plan, Removal, Wanted
from pointsman_cli.platforms.record import Record, Running

_HEARTBEAT_SECONDS = "5"
_ANSWER_SECONDS = 60.0
_END_SECONDS = 40.0
_LOOK_SECONDS = 0.05


class Supervised:
    """One supervised process per model and channel."""

    def __init__(self, context: Context, name: str, directory: Path) -> None:
        self._context = context
        self._name = name
        self._directory = directory
        self._log = self._directory / "service.log"

    def check(self, wanted: Wanted) -> list[Finding]:
        """Find out whether the port can be had."""
        if wanted.image:
            return [
                findings.error(
                    "image",
                    "a process has no image",
                    "Add --docker to run the image as a container, or leave out --image.",
                )
            ]
        running = records.running(self._directory)
        if running and self._stays(running, wanted):
            return [findings.ok("port", f"{self._name} runs at {running.record.url}")]
        host, port = self._address(running, wanted)
        if running and (running.record.host, running.record.port) == (host, port):
            # It is ours, and about to be replaced.
            return [findings.ok("port", f"port {port} on {host} is held by {self._name} itself")]
        if reason := addresses.refusal(host, port):
            return [
                findings.error(
                    "port",
                    f"port {port} on {host} cannot be used: {reason}",
                    "Choose another with --port; 0 takes any free one.",
                )
            ]
        return [findings.ok("port", f"port {port or 'of any number'} on {host} is free")]

    def plan(self, wanted: Wanted) -> Plan:
        """Say what deploying would do."""
        running = records.running(self._directory)
        first = []
        if running:
            where = f"{running.record.url} (process {running.pid})"
            if self._stays(running, wanted):
                return Plan(steps=[f"leave {self._name} running at {where}"])
            first = [f"end {self._name} at {where}"]
        host, port = self._address(running, wanted)
        start = f"start {self._name} on {host}, port {port or 'chosen by the system'}"
        return Plan(steps=[*first, start])

    def deploy(self, wanted: Wanted) -> Deployment:
        """Start the service, or leave it if it already runs as wanted."""
        with records.held(self._directory, self._tell_occupied):
            running = records.running(self._directory)
            if running and self._stays(running, wanted):
                return self._deployment(running.record, running.pid)
            host, port = self._address(running, wanted)
            if running:
                self._context.stands("What ran was told to end; `pointsman deploy` starts it anew.")
                self._end(running)
            return self._start(host, port)

    def status(self) -> Deployment | None:
        """Return the running service; None when there is none, or it died."""
        running = records.running(self._directory)
        return self._deployment(running.record, running.pid) if running else None

    def logs(self, *, follow: bool, lines: int) -> Iterator[str]:
        """Yield lines of the log, which outlives the service until it is destroyed."""
        if not self._log.exists():
            raise CommandError(
                f"{self._name} has no log here", "`pointsman deploy --platform local` starts it."
            )
        if not follow:
            return iter(log_tail.last_lines(self._log, lines))
        running = records.running(self._directory)
        writers = running.processes if running else ()
        return log_tail.follow(
            self._log, lines, lambda: any(process.is_alive(each) for each in writers)
        )

    def removal(self) -> Removal | None:
        """Say what would end; nothing is lost with it."""
        deployment = self.status()
        if deployment is None:
            return None
        return Removal(name=self._name, steps=[f"end {self._name} at {deployment.url}"])

    def destroy(self) -> bool:
        """End the service in good order and remove its record and log."""
        if not self._directory.is_dir():
            return False
        with records.held(self._directory, self._tell_occupied):
            existed = records.read(self._directory) is not None or self._log.exists()
            if running := records.running(self._directory):
                self._context.stands("It was told to end; `pointsman destroy` waits until it has.")
                self._end(running)
            records.forget(self._directory)
            self._log.unlink(missing_ok=True)
            self._remove_empty()
        return existed

    def roll_back_image(self, to: str, timeout: float) -> Deployment:  # noqa: ARG002
        """Refuse: what runs is a process."""
        raise self._no_image()

    def earlier_image(self, to: str) -> str:  # noqa: ARG002
        """Refuse, for the same reason."""
        raise self._no_image()

    def _no_image(self) -> CommandError:
        runs = records.running(self._directory) is not None
        return CommandError(
            f"{self._name} {'runs as a process' if runs else 'does not run'} here, and not from an "
            "image",
            "`pointsman rollback` goes back to the version that served before.",
        )

    def _start(self, host: str, port: int) -> Deployment:
        port = port or addresses.free_port(host)
        configuration = self._context.project.configuration
        record = Record(
            instance=f"local-{secrets.token_hex(3)}",
            url=addresses.url(host, port),
            host=host,
            port=port,
            store=configuration.store,
            fleet=configuration.fleet,
        )
        self._context.stands(
            f"The service is starting at {record.url} all the same: `pointsman deploy` looks "
            "again, `pointsman destroy` ends it."
        )
        records.write(self._directory, record)
        arguments = [sys.executable, "-m", *records.marks(self._directory, record)]
        pid = process.start_detached(arguments, self._environment(record), self._log)
        with self._context.output.waiting("starting the service"):
            self._await_answer(record, pid)
        return self._deployment(record, pid)

    def _environment(self, record: Record) -> dict[str, str]:
        inherited = {
            "POINTSMAN_CACHE_DIR": str(self._context.project.state / "cache"),
            "POINTSMAN_HEARTBEAT_SECONDS": _HEARTBEAT_SECONDS,
        } | self._context.service_environment
        return inherited | {
            "POINTSMAN_STORE": record.store,
            "POINTSMAN_MODEL": self._context.model,
            "POINTSMAN_CHANNEL": self._context.channel,
            "POINTSMAN_FLEET": record.fleet,
            "POINTSMAN_HOST": record.host,
            "POINTSMAN_INSTANCE": record.instance,
            "POINTSMAN_PLATFORM": "local",
            "PORT": str(record.port),
        }

    def _await_answer(self, record: Record, pid: int) -> None:
        """Return when this very service answers; raise with its last words when it cannot."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        while True:
            health = client.health(record.url)
            if health is not None and health.body.get("instance") == record.instance:
                return
            if not process.is_running(pid) or time.monotonic() > deadline:
                break
            time.sleep(_LOOK_SECONDS)
        if running := records.running(self._directory):
            self._end(running)
        records.forget(self._directory)
        raise DeploymentFailed(
            f"the service did not start: {self._last_words()}",
            "`pointsman logs` shows all it said.",
        )

    def _last_words(self) -> str:
        lines = [line.strip() for line in log_tail.last_lines(self._log, 20) if line.strip()]
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return (errors or lines or ["it said nothing"])[-1]

    def _end(self, running: Running) -> None:
        """Ask the supervisor to end, and wait; after the drain time, insist."""
        self._context.output.step(f"ending process {running.pid}, requests in flight first")
        # Without a supervisor, what it left behind is asked itself.
        asked = [running.supervisor] if running.supervisor else running.processes
        process.end(running.processes, asked, _END_SECONDS)

    def _stays(self, running: Running, wanted: Wanted) -> bool:
        record, configuration = running.record, self._context.project.configuration
        return (
            not wanted.restart
            and running.supervisor is not None
            and (record.store, record.fleet) == (configuration.store, configuration.fleet)
            and wanted.host in {None, record.host}
            and wanted.port in {None, 0, record.port}
        )

    def _address(self, running: Running | None, wanted: Wanted) -> tuple[str, int]:
        """Return host and port: as asked for, else as it was, else as configured."""
        usual = running.record if running else self._context.project.configuration.local
        port = usual.port if wanted.port is None else wanted.port
        return wanted.host or usual.host, port

    def _deployment(self, record: Record, pid: int) -> Deployment:
        return Deployment(
            platform="local",
            name=self._name,
            url=record.url,
            instance=record.instance,
            pid=pid,
            log=str(self._log),
        )

    def _tell_occupied(self) -> None:
        self._context.output.step(f"waiting for another pointsman to finish with {self._name}")

    def _remove_empty(self) -> None:
        """Remove the directories that nothing else is in."""
        for directory in (self._directory, self._directory.parent, self._directory.parent.parent):
            try:
                directory.rmdir()
            except OSError:
                return
