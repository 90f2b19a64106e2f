"""A stack's state as a JSON file, in the directory that the backend's URL names."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


class EngineError(Exception):
    """What the command would print before it ends with a failure."""


@dataclass
class Resource:
    """One resource as the last operation left it."""

    urn: str
    kind: str
    name: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    secret: list[str]
    protect: bool
    retain: bool


@dataclass
class State:
    """All resources of a stack, in the order in which they were made."""

    path: Path
    passphrase: str
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    secret: list[str] = field(default_factory=list)

    def save(self) -> None:
        """Write it all."""
        document = asdict(self) | {"path": str(self.path)}
        self.path.write_text(json.dumps(document, indent=1))


def load(name: str, environment: Mapping[str, str]) -> State:
    """Read a stack's state, as the command would or would not."""
    path = _directory(environment) / f"{name}.json"
    if not path.exists():
        raise EngineError(f"error: no stack named '{name}' found")
    document = json.loads(path.read_text())
    if document["passphrase"] != _fingerprint(environment):
        raise EngineError("error: constructing secrets manager: incorrect passphrase")
    if (lock := path.with_suffix(".lock")).exists():
        raise EngineError(
            "error: the stack is currently locked by 1 lock(s). Either wait for the other "
            "process(es) to end or delete the lock file with `pulumi cancel`.\n"
            f"  {lock.read_text()}"
        )
    resources = {urn: Resource(**each) for urn, each in document.pop("resources").items()}
    return State(**document | {"path": path, "resources": resources})


def create(name: str, environment: Mapping[str, str]) -> None:
    """Make a stack's empty state."""
    State(_directory(environment) / f"{name}.json", _fingerprint(environment)).save()


def _directory(environment: Mapping[str, str]) -> Path:
    url = environment.get("PULUMI_BACKEND_URL", "")
    directory = Path(unquote(urlsplit(url).path))
    if not url.startswith("file://") or not directory.is_dir():
        raise EngineError(f"error: unable to open bucket {url}: no such directory")
    return directory


def _fingerprint(environment: Mapping[str, str]) -> str:
    passphrase = environment.get("PULUMI_CONFIG_PASSPHRASE")
    if passphrase is None:
        file = environment.get("PULUMI_CONFIG_PASSPHRASE_FILE")
        if not file:
            raise EngineError(
                "error: constructing secrets manager: passphrase must be set with "
                "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables"
            )
        passphrase = Path(file).read_text().strip()
    return sha256(passphrase.encode()).hexdigest()
