"""Environments of clients, made once and kept in `.clients/` until their requirements change."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_KEPT = _ROOT / ".clients"
_HERE = Path(__file__).parent


def python(client: str) -> Path:
    """Return the interpreter of a client's environment, which is made if need be.

    Where it cannot be made the test is skipped, and says why; in CI it fails.
    """
    wanted = f"{sys.version}\n{(_HERE / client / 'requirements.txt').read_text()}"
    environment = _KEPT / client
    stamp = environment / ".installed"
    _KEPT.mkdir(exist_ok=True)
    with (_KEPT / f"{client}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            _make(environment, _HERE / client / "requirements.txt")
            stamp.write_text(wanted)
    return environment / "bin" / "python"


def converse(client: str, *arguments: str, seconds: float = 900) -> None:
    """Run a client's conversation; fails with all that it says."""
    command = [str(python(client)), str(_HERE / client / "conversation.py"), *arguments]
    environment = {**os.environ, "PYTHONPATH": "", "PYTHONWARNINGS": "default"}
    finished = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert finished.returncode == 0, f"{client}:\n{finished.stdout}\n{finished.stderr}"


def _make(environment: Path, requirements: Path) -> None:
    uv = shutil.which("uv") or str(_ROOT / ".uv" / "bin" / "uv")
    shutil.rmtree(environment, ignore_errors=True)
    try:
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(environment))
        # What is pinned is all that is needed: not all that a package says it depends on.
        install = [uv, "pip", "install", "--quiet", "--no-deps"]
        _run(*install, "--python", str(environment / "bin" / "python"), "-r", str(requirements))
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        reason = f"the environment of {environment.name} cannot be made: {said}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        print(reason, file=sys.__stderr__)
        pytest.skip(reason)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
