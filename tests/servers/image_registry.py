"""A real registry of images for tests: Docker's own, on a free port of the loopback interface."""

import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import ports

_READY_SECONDS = 120.0
_CONFIGURATION = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


class CannotRun(Exception):
    """No registry runs here; the message says why."""


@dataclass(frozen=True, slots=True)
class ImageRegistry:
    """A running registry."""

    address: str
    root: Path

    def blobs(self) -> dict[str, int]:
        """Return the bytes of every blob by its digest."""
        folder = self.root / "docker" / "registry" / "v2" / "blobs" / "sha256"
        return {path.parent.name: path.stat().st_size for path in folder.glob("*/*/data")}


@contextmanager
def running() -> Iterator[ImageRegistry]:
    """Start a registry, and yield it once it answers; raises `CannotRun`."""
    if shutil.which("docker-registry") is None:
        raise CannotRun("there is no `docker-registry`: the Debian package of that name brings it")
    (port,) = ports.free()
    with tempfile.TemporaryDirectory(prefix="registry-") as directory:
        root = Path(directory)
        file = root / "configuration.yml"
        file.write_text(_CONFIGURATION.format(root=root / "storage", port=port))
        with (root / "log").open("wb") as log:
            process = subprocess.Popen(
                ["docker-registry", "serve", str(file)], stdout=log, stderr=log
            )
        try:
            _await(f"http://127.0.0.1:{port}/v2/", process, root / "log")
            yield ImageRegistry(f"127.0.0.1:{port}", root / "storage")
        finally:
            process.kill()
            process.wait()


def _await(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=30).close()  # noqa: S310 — loopback
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                last = log.read_text(errors="replace").strip().splitlines()[-1:]
                raise CannotRun(f"docker-registry does not start: {' '.join(last)}") from None
            time.sleep(0.1)
        else:
            return
