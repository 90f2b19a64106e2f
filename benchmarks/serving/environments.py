"""An environment for every contestant, made once below `.bench/serving/`.

One that cannot be made is a reason to leave its contestant out, and to say why.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.serving.contestants import Contestant

_HOME = Path(__file__).parent.parent.parent / ".bench" / "serving"
_MINUTES = 8
_SHOWN_CHARACTERS = 300


class Unavailable(Exception):
    """A contestant cannot be measured here; the message says why."""


def interpreter(contestant: Contestant) -> str:
    """Return the interpreter of a contestant's environment; raises `Unavailable`."""
    if not contestant.packages:
        return sys.executable
    problems = []
    for python in contestant.pythons:
        base = sys.executable if python == Path(sys.executable).name else shutil.which(python)
        if base is None:
            problems.append(f"there is no {python}")
            continue
        try:
            return _made(contestant, base)
        except (OSError, subprocess.SubprocessError) as error:
            problems.append(_reason(error))
    raise Unavailable("; ".join(problems))


def installed_bytes(python: str) -> int:
    """Return the size of an environment's packages, without pip, setuptools and bytecode."""
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    packages = Path(result.stdout.strip())
    return sum(
        (Path(folder) / file).stat().st_size
        for folder, folders, files in os.walk(packages)
        if not _ignored(folder, folders)
        for file in files
        if not file.endswith(".pyc")
    )


def _ignored(folder: str, folders: list[str]) -> bool:
    folders[:] = [each for each in folders if not each.startswith(("pip", "setuptools", "uv"))]
    return folder.endswith("__pycache__")


def _made(contestant: Contestant, base: str) -> str:
    wanted = "\n".join([base, *contestant.packages])
    name = "".join(c for c in contestant.name.lower() if c.isalnum())
    home = _HOME / f"{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
    python = home / "bin" / "python"
    if not (home / ".complete").exists():
        print(f"  installing {contestant.name} into {home}", flush=True)
        shutil.rmtree(home, ignore_errors=True)
        _run([base, "-m", "venv", str(home)])
        _run([str(python), "-m", "pip", "install", "--quiet", *contestant.packages])
        (home / ".complete").touch()
    return str(python)


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=60 * _MINUTES)


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return " ".join(error.stderr.split())[-_SHOWN_CHARACTERS:]
    return str(error)[:_SHOWN_CHARACTERS]
