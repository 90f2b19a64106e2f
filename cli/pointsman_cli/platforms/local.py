"""The local platform: the service as a supervised process on this machine.

The supervisor outlives the command; its record lies in `.pointsman/local/<model>-<channel>/`,
beside the log, and names the process by id and start time, so that a reused id is never
mistaken for it.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator

import msgspec
import psutil

from pointsman_cli import client, process
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError
from pointsman_cli.platforms.base import Deployment, Wanted
from pointsman_cli.platforms.log_tail import tail

_HEARTBEAT_SECONDS = "5"
_PORT_SECONDS = 20.0
_END_SECONDS = 40.0
_LOOK_SECONDS = 0.05


class Record(msgspec.Struct, frozen=True):
    """A running deployment, as remembered between commands."""

    pid: int
    started: float
    url: str
    instance: str
    store: str
    wanted_port: int
    host: str


class LocalPlatform:
    """One supervised process per model and channel."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._name = f"{context.model}-{context.channel}"
        self._directory = context.project.state / "local" / self._name
        self._log = self._directory / "service.log"
        self._record_file = self._directory / "deployment.json"

    def check(self, wanted: Wanted) -> None:
        """Raise when the port belongs to somebody else."""
        host, port = self._address(wanted)
        if self._stays(wanted) or port == 0:
            return
        record = self._record()
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if record is not None and record.url.endswith(f":{port}"):
                    return  # it is ours, and about to be replaced
                raise CommandError(
                    f"port {port} on {host} cannot be used: {error.strerror}",
                    "Choose another with --port; 0 takes any free one.",
                ) from error

    def plan(self, wanted: Wanted) -> list[str]:
        """Say in sentences what deploying would do."""
        host, port = self._address(wanted)
        record = self._record()
        if self._stays(wanted) and record:
            return [f"leave {self._name} running at {record.url} (process {record.pid})"]
        first = [f"end the process {record.pid} at {record.url}"] if record else []
        return [*first, f"start {self._name} on {host} port {port or 'chosen by the system'}"]

    def deploy(self, wanted: Wanted) -> Deployment:
        """Start the service, or leave it if it already runs as wanted."""
        record = self._record()
        if record is not None and not self._stays(wanted):
            self._context.output.step(f"ending the process {record.pid}")
            self._end(record)
            record = None
        return self._deployment(record or self._start(wanted))

    def status(self) -> Deployment | None:
        """Return the running service; None when there is none, or it died."""
        record = self._record()
        return self._deployment(record) if record else None

    def logs(self, *, follow: bool, lines: int) -> Iterator[str]:
        """Yield lines of the log, which outlives the service until it is destroyed."""
        if not self._log.exists():
            raise CommandError(
                f"{self._name} has no log here", "`pointsman deploy --platform local` starts it."
            )
        return tail(self._log, lines=lines, follow=follow)

    def destroy(self) -> bool:
        """End the service in good order and remove its record and log."""
        record = self._record()
        if record is not None:
            self._end(record)
        existed = self._record_file.exists()
        for path in (self._record_file, self._log):
            path.unlink(missing_ok=True)
        if self._directory.is_dir():
            self._directory.rmdir()
        return existed

    def _start(self, wanted: Wanted) -> Record:
        host, port = self._address(wanted)
        port = port or _free_port(host)
        instance = f"local-{os.urandom(3).hex()}"
        configuration = self._context.project.configuration
        self._directory.mkdir(parents=True, exist_ok=True)
        environment = self._context.service_environment | {
            "POINTSMAN_STORE": configuration.store,
            "POINTSMAN_MODEL": self._context.model,
            "POINTSMAN_CHANNEL": self._context.channel,
            "POINTSMAN_FLEET": configuration.fleet,
            "POINTSMAN_HOST": host,
            "POINTSMAN_INSTANCE": instance,
            "POINTSMAN_PLATFORM": "local",
            "POINTSMAN_CACHE_DIR": str(self._context.project.state / "cache"),
            "POINTSMAN_HEARTBEAT_SECONDS": os.environ.get(
                "POINTSMAN_HEARTBEAT_SECONDS", _HEARTBEAT_SECONDS
            ),
            "PORT": str(port),
        }
        arguments = [sys.executable, "-m", "pointsman_cli.platforms.supervisor"]
        pid = process.start_detached(arguments, environment, self._log)
        record = Record(
            pid=pid,
            started=process.started_at(pid) or 0.0,
            url=f"http://{host}:{port}",
            instance=instance,
            store=configuration.store,
            wanted_port=port,
            host=host,
        )
        self._record_file.write_bytes(msgspec.json.encode(record))
        self._await_answer(record)
        return record

    def _await_answer(self, record: Record) -> None:
        """Return when the service answers at all; raise with its last words when it cannot."""
        deadline = time.monotonic() + _PORT_SECONDS
        while client.health(record.url) is None:
            if process.started_at(record.pid) is None or time.monotonic() > deadline:
                words = "\n".join(tail(self._log, lines=5, follow=False)).strip()
                self.destroy()
                raise CommandError(f"the service did not start: {words or 'it said nothing'}")
            time.sleep(_LOOK_SECONDS)

    def _end(self, record: Record) -> None:
        """Ask the supervisor to end, and wait; after the drain time, insist."""
        with_children = [psutil.Process(record.pid)]
        with_children += with_children[0].children(recursive=True)
        os.kill(record.pid, signal.SIGTERM)
        _, remaining = psutil.wait_procs(with_children, timeout=_END_SECONDS)
        for each in remaining:
            each.kill()

    def _record(self) -> Record | None:
        """Return the deployment on record if its process is the one that still runs."""
        try:
            record = msgspec.json.decode(self._record_file.read_bytes(), type=Record)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return record if process.started_at(record.pid) == record.started else None

    def _stays(self, wanted: Wanted) -> bool:
        record = self._record()
        if record is None or wanted.restart:
            return False
        host, port = self._address(wanted)
        store = self._context.project.configuration.store
        same_port = wanted.port in {None, 0} or port == record.wanted_port
        return (record.host, record.store) == (host, store) and same_port

    def _address(self, wanted: Wanted) -> tuple[str, int]:
        local = self._context.project.configuration.local
        port = local.port if wanted.port is None else wanted.port
        return wanted.host or local.host, port

    def _deployment(self, record: Record) -> Deployment:
        return Deployment(
            platform="local",
            name=self._name,
            url=record.url,
            instance=record.instance,
            pid=record.pid,
            log=str(self._log),
        )


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
