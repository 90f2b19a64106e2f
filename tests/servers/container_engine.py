"""A real container engine for tests, and a base image for it that needs no registry of images.

Where an engine already answers, it is used, and finds Python's own image by itself. Where none
does, `dockerd` is started for the session, with a root filesystem that debootstrap makes from
Debian's packages under the name that the Dockerfile begins with. It is kept between sessions.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_BASE = "docker.io/library/python:3.13-slim"
_SUITE = "trixie"
"""The Debian whose python3 is 3.13."""
_PACKAGES = "python3,python3-venv,ca-certificates"
_READY_SECONDS = 180.0
_BASE_SECONDS = 900.0
_ENDED_SECONDS = 30.0
# What Python's own image has and Debian's packages have not: `python`, and a pip beside it.
_FINISH = """
set -e
ln -sf /usr/bin/python3 /usr/local/bin/python
python3 -m venv /tmp/pip
mkdir -p /usr/local/lib/python3.13/dist-packages
cp -r /tmp/pip/lib/python3.13/site-packages/pip* /usr/local/lib/python3.13/dist-packages/
cp /tmp/pip/bin/pip3 /usr/local/bin/pip
rm -rf /tmp/pip /var/cache/apt/archives/*.deb /var/lib/apt/lists/*
"""


class CannotRun(Exception):
    """No container engine runs here; the message says why."""


@dataclass(frozen=True, slots=True)
class ContainerEngine:
    """An engine that answers, and how to reach it."""

    environment: dict[str, str]
    log: Path | None = None

    def run(self, *arguments: str, timeout: float = 300.0) -> str:
        """Run `docker …`; fails with what it said when that fails."""
        ended = subprocess.run(
            ["docker", *arguments],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert ended.returncode == 0, f"docker {' '.join(arguments)}: {ended.stderr}"
        return ended.stdout.strip()

    def stream(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start `docker …`, whose output is read by the test."""
        return subprocess.Popen(
            ["docker", *arguments], env=os.environ | self.environment, stdout=subprocess.PIPE
        )


@contextmanager
def running() -> Iterator[ContainerEngine]:
    """Yield an engine that has the base image; raises `CannotRun`."""
    if shutil.which("docker") is None:
        raise CannotRun("there is no `docker`: the Debian package docker.io brings it")
    if _answers({}):
        engine = ContainerEngine({})
        _pull_base(engine)
        yield engine
        return
    with tempfile.TemporaryDirectory(prefix="dockerd-", ignore_cleanup_errors=True) as directory:
        engine, process = _started(Path(directory))
        try:
            _await(engine, process)
            _import_base(engine)
            yield engine
        finally:
            _end(process)


def _started(root: Path) -> tuple[ContainerEngine, "subprocess.Popen[bytes]"]:
    missing = [name for name in ("dockerd", "debootstrap") if shutil.which(name) is None]
    if missing:
        raise CannotRun(
            f"no engine answers, and there is no {' and no '.join(missing)} to make one"
        )
    if os.geteuid() != 0:
        raise CannotRun("no engine answers, and only root can start one")
    socket = f"unix://{root / 'socket'}"
    arguments = [
        *("dockerd", "--host", socket, "--pidfile", str(root / "pid")),
        *("--data-root", str(root / "data"), "--exec-root", str(root / "exec")),
        # Containers share the machine's own network: no bridge, and no rules of a firewall.
        *("--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"),
    ]
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, start_new_session=True)
    return ContainerEngine({"DOCKER_HOST": socket}, root / "log"), process


def _await(engine: ContainerEngine, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not _answers(engine.environment):
        if process.poll() is not None or time.monotonic() > deadline:
            assert engine.log
            last = engine.log.read_text(errors="replace").strip().splitlines()[-1:]
            raise CannotRun(f"dockerd does not start: {' '.join(last)}")
        time.sleep(0.1)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_ENDED_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(environment: dict[str, str]) -> bool:
    ended = subprocess.run(
        ["docker", "version"], env=os.environ | environment, capture_output=True, check=False
    )
    return ended.returncode == 0


def _pull_base(engine: ContainerEngine) -> None:
    with suppress(AssertionError):
        engine.run("image", "inspect", _BASE)  # `image ls` knows it by a shorter name only
        return
    try:
        engine.run("pull", "--quiet", _BASE, timeout=_BASE_SECONDS)
    except AssertionError as error:
        raise CannotRun(f"the base image cannot be had: {error}") from error


def _import_base(engine: ContainerEngine) -> None:
    archive = _archive()
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=archive.parent) as directory:
            _make(Path(directory), archive)
    engine.run("import", str(archive), _BASE)


def _archive() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pointsman-tests" / f"python-3.13-{_SUITE}.tar"


def _make(folder: Path, archive: Path) -> None:
    """Make a root filesystem with Python 3.13, and pack it."""
    root = folder / "root"
    made = folder / "made.tar"
    bootstrap = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}"]
    for command in (
        [*bootstrap, _SUITE, str(root)],
        ["chroot", str(root), "sh", "-c", _FINISH],
        # What this machine trusts, a build here must trust too: a company's proxy, e.g.
        ["cp", "/etc/ssl/certs/ca-certificates.crt", str(root / "etc/ssl/certs/")],
        ["tar", "-C", str(root), "-cf", str(made), "."],
    ):
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=_BASE_SECONDS, check=False
        )
        if ended.returncode:
            last = (ended.stderr or ended.stdout).strip().splitlines()[-1:]
            raise CannotRun(f"{command[0]} fails: {' '.join(last)}")
    made.rename(archive)
