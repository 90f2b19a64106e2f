"""The local platform: the service as a supervised process on this machine.

The supervisor outlives the command; its record lies in `.pointsman/local/<model>/<channel>/`,
beside the log.
"""

import secrets
import sys
import time
from collections.abc import Iterator

import msgspec
import psutil

from pointsman_cli import client, process
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError
from pointsman_cli.platforms import addresses, log_tail
from pointsman_cli.platforms import record as records
from pointsman_cli.platforms.base import Deployment, Wanted
from pointsman_cli.platforms.record import SUPERVISOR, Record

_HEARTBEAT_SECONDS = "5"
_ANSWER_SECONDS = 20.0
_END_SECONDS = 40.0
_LOOK_SECONDS = 0.05


class LocalPlatform:
    """One supervised process per model and channel."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._name = f"{context.model}/{context.channel}"
        self._directory = context.project.state / "local" / context.model / context.channel
        self._log = self._directory / "service.log"

    def check(self, wanted: Wanted) -> None:
        """Raise when the port belongs to somebody else."""
        record = self._running()
        if record and self._stays(record, wanted):
            return
        host, port = self._address(record, wanted)
        if record and (record.host, record.port) == (host, port):
            return  # it is ours, and about to be replaced
        if reason := addresses.refusal(host, port):
            raise CommandError(
                f"port {port} on {host} cannot be used: {reason}",
                "Choose another with --port; 0 takes any free one.",
            )

    def plan(self, wanted: Wanted) -> list[str]:
        """Say in sentences what deploying would do."""
        record = self._running()
        if record and self._stays(record, wanted):
            return [f"leave {self._name} running at {record.url} (process {record.pid})"]
        host, port = self._address(record, wanted)
        first = [f"end the process {record.pid} at {record.url}"] if record else []
        return [*first, f"start {self._name} on {host}, port {port or 'chosen by the system'}"]

    def deploy(self, wanted: Wanted) -> Deployment:
        """Start the service, or leave it if it already runs as wanted."""
        with records.held(self._directory, self._tell_occupied):
            record = self._running()
            if record and self._stays(record, wanted):
                return self._deployment(record)
            host, port = self._address(record, wanted)
            if record:
                self._context.stands("What ran was told to end; `pointsman deploy` starts it anew.")
                self._end(record)
            return self._deployment(self._start(host, port))

    def status(self) -> Deployment | None:
        """Return the running service; None when there is none, or it died."""
        record = self._running()
        return self._deployment(record) if record else None

    def logs(self, *, follow: bool, lines: int) -> Iterator[str]:
        """Yield lines of the log, which outlives the service until it is destroyed."""
        if not self._log.exists():
            raise CommandError(
                f"{self._name} has no log here", "`pointsman deploy --platform local` starts it."
            )
        if follow:
            return log_tail.follow(self._log, lines, lambda: self._running() is not None)
        return iter(log_tail.last_lines(self._log, lines))

    def destroy(self) -> bool:
        """End the service in good order and remove its record and log."""
        if not self._directory.is_dir():
            return False
        with records.held(self._directory, self._tell_occupied):
            existed = records.read(self._directory) is not None or self._log.exists()
            if record := self._running():
                self._context.stands("It was told to end; `pointsman destroy` waits until it has.")
                self._end(record)
            records.forget(self._directory)
            self._log.unlink(missing_ok=True)
            self._remove_empty()
        return existed

    def _start(self, host: str, port: int) -> Record:
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
        records.write(self._directory, record)
        self._context.stands(
            f"The service is starting at {record.url} all the same: `pointsman deploy` looks "
            "again, `pointsman destroy` ends it."
        )
        arguments = [sys.executable, "-m", SUPERVISOR, str(self._directory), record.instance]
        pid = process.start_detached(arguments, self._environment(record), self._log)
        started = msgspec.structs.replace(record, pid=pid)
        with self._context.output.waiting("starting the service"):
            self._await_answer(started)
        return started

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

    def _await_answer(self, record: Record) -> None:
        """Return when this very service answers; raise with its last words when it cannot."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        while True:
            health = client.health(record.url)
            if health is not None and health.body.get("instance") == record.instance:
                return
            if not records.is_supervised(self._directory, record) or time.monotonic() > deadline:
                self._end(record)
                records.forget(self._directory)
                raise CommandError(
                    f"the service did not start: {self._last_words()}",
                    "`pointsman logs` shows all it said.",
                )
            time.sleep(_LOOK_SECONDS)

    def _last_words(self) -> str:
        lines = [line.strip() for line in log_tail.last_lines(self._log, 20) if line.strip()]
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return (errors or lines or ["it said nothing"])[-1]

    def _end(self, record: Record) -> None:
        """Ask the supervisor to end, and wait; after the drain time, insist."""
        found = records.processes(record)
        # Without a supervisor, what it left behind is asked itself.
        asked = [each for each in found if each.pid == record.pid] or found
        self._context.output.step(f"ending process {record.pid}, requests in flight first")
        for each in asked:
            _signal(each, insist=False)
        _, remaining = psutil.wait_procs(found, timeout=_END_SECONDS)
        for each in remaining:
            _signal(each, insist=True)
        psutil.wait_procs(remaining)

    def _running(self) -> Record | None:
        """Return the deployment on record, if there is anything left of it."""
        record = records.read(self._directory)
        if record is None or not (
            records.is_supervised(self._directory, record) or records.processes(record)
        ):
            return None
        return record

    def _stays(self, record: Record, wanted: Wanted) -> bool:
        configuration = self._context.project.configuration
        return (
            not wanted.restart
            and records.is_supervised(self._directory, record)
            and (record.store, record.fleet) == (configuration.store, configuration.fleet)
            and wanted.host in {None, record.host}
            and wanted.port in {None, 0, record.port}
        )

    def _address(self, record: Record | None, wanted: Wanted) -> tuple[str, int]:
        """Return host and port: as asked for, else as it was, else as configured."""
        usual = record or self._context.project.configuration.local
        port = usual.port if wanted.port is None else wanted.port
        return wanted.host or usual.host, port

    def _deployment(self, record: Record) -> Deployment:
        return Deployment(
            platform="local",
            name=self._name,
            url=record.url,
            instance=record.instance,
            pid=record.pid,
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


def _signal(target: psutil.Process, *, insist: bool) -> None:
    try:
        (target.kill if insist else target.terminate)()
    except psutil.NoSuchProcess:
        return
