"""What the command works on: `pointsman.toml`, the environment, and the command line, in one.

The command line beats the environment, the environment beats the file, the file beats defaults.
The file is looked for in the working directory and its parents; relative paths in it are
relative to it. Unknown keys are errors, with their path. What `[infra]` may hold is the business
of `pointsman_cli.provisioning`, which reads it when it is needed.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from pointsman_cli.errors import UsageError

FILE_NAME = "pointsman.toml"
STATE_DIRECTORY = ".pointsman"


class LocalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[local]`: how `deploy --platform local` starts the service."""

    host: str = "127.0.0.1"
    port: int = 8000


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can stand in `pointsman.toml`."""

    store: str = ""
    model: str = ""
    channel: str = "production"
    fleet: str = ""
    local: LocalSettings = LocalSettings()
    infra: dict[str, Any] = {}


class Project(msgspec.Struct, frozen=True):
    """The configuration in force, and the directory it belongs to."""

    configuration: Configuration
    directory: Path
    store_named: bool = True

    @property
    def state(self) -> Path:
        """Where the embedded store and local deployments live."""
        return self.directory / STATE_DIRECTORY


def load(
    flags: Mapping[str, str | None], environment: Mapping[str, str], working_directory: Path
) -> Project:
    """Combine all sources; raises `UsageError` that names the file and key at fault."""
    path = _find(working_directory)
    directory = path.parent if path else working_directory
    values = _read(path) if path else {}
    for key in ("store", "fleet"):
        if isinstance(values.get(key), str):
            values[key] = _anchored(values[key], directory)
    for key in ("store", "model", "channel", "fleet"):
        given = flags.get(key) or environment.get(f"POINTSMAN_{key.upper()}")
        if given:
            values[key] = given
    named = bool(values.get("store"))
    values.setdefault("store", (directory / STATE_DIRECTORY / "store").as_uri())
    try:
        return Project(msgspec.convert(values, Configuration), directory, named)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{path or 'the configuration'}: {_with_path(error)}",
            f"Known keys: {', '.join(Configuration.__struct_fields__)}.",
        ) from error


def _find(start: Path) -> Path | None:
    for directory in (start, *start.parents):
        if (directory / FILE_NAME).is_file():
            return directory / FILE_NAME
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error


def _anchored(store: str, directory: Path) -> str:
    """Turn a relative path into one that does not depend on where the command is run."""
    return store if "://" in store else (directory / store).absolute().as_uri()


def _with_path(error: msgspec.ValidationError) -> str:
    return str(error).replace(" - at `$", " at `").replace("Object contains unknown", "unknown")
