"""Where a stack's state is kept: where the user keeps theirs already, else in a local directory.

In this order: what was asked for, `PULUMI_BACKEND_URL`, the backend of the project file, an
existing `pulumi login`, and last `.pointsman/infra/state`. That directory is closed to others
and ignored by git; the passphrase that encrypts its secrets lies beside it, readable to its
owner only, unless the environment holds one.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from pointsman_infra.errors import StateUnusable

PASSPHRASE = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
_CLOUD = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Backend:
    """A place for state; `url` is empty where the user's login decides."""

    url: str
    source: str
    passphrase_file: Path | None = None

    def environment(self) -> dict[str, str]:
        """Return the variables by which the engine finds the state and reads its secrets."""
        variables = {"PULUMI_BACKEND_URL": self.url} if self.url else {}
        if self.passphrase_file:
            variables["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(self.passphrase_file)
        return variables


def find(asked: str, environment: Mapping[str, str], project: Path, state: Path) -> Backend:
    """Return where the state of the project in `project` is kept; nothing is made yet."""
    candidates = (
        (asked, "pointsman.toml or --backend"),
        (environment.get("PULUMI_BACKEND_URL", ""), "PULUMI_BACKEND_URL"),
        (_in_project(project), "Pulumi.yaml"),
        (_login(environment), "pulumi login"),
    )
    for url, source in candidates:
        if url:
            return Backend("" if source == "Pulumi.yaml" else url, source)
    passphrase = None if any(map(environment.get, PASSPHRASE)) else state / "passphrase"
    return Backend((state / "state").absolute().as_uri(), "local", passphrase)


def prepare(backend: Backend, state: Path, environment: Mapping[str, str]) -> bool:
    """Make what the backend needs on this disk; True when a passphrase was made.

    Raises `StateUnusable` when there is none for a backend that needs one.
    """
    if backend.source != "local":
        if (
            backend.url
            and not backend.url.startswith(_CLOUD)
            and not any(map(environment.get, PASSPHRASE))
        ):
            raise StateUnusable(
                f"the state at {backend.url} is encrypted, and there is no passphrase",
                "Set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE.",
            )
        return False
    make_private(state)
    make_private(state / "state")
    return backend.passphrase_file is not None and _make_passphrase(backend.passphrase_file)


def make_private(directory: Path) -> None:
    """Make a directory that others cannot look into, and that git does not see."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    ignore = directory / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")


def _make_passphrase(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(32))
    return True


def _in_project(project: Path) -> str:
    file = project / "Pulumi.yaml"
    try:
        settings = yaml.safe_load(file.read_text()) if file.is_file() else {}
    except (OSError, yaml.YAMLError) as error:
        raise StateUnusable(f"{file} cannot be read: {error}", "Correct the file.") from error
    backend = (settings or {}).get("backend") or {}
    return str(backend.get("url", ""))


def _login(environment: Mapping[str, str]) -> str:
    if environment.get("PULUMI_ACCESS_TOKEN"):
        return "https://api.pulumi.com"
    home = Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        return str(json.loads((home / "credentials.json").read_text()).get("current") or "")
    except (OSError, ValueError):
        return ""
