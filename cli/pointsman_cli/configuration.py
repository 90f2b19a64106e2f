"""What the command works on: `pointsman.toml`, the environment, and the command line, in one.

The command line beats the environment, the environment beats the file, the file beats defaults.
The file is looked for in the working directory and its parents. A relative store is relative to
where it is written down: to the file's folder, or to the working directory. Unknown keys are
errors, with their path.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from pointsman_cli.errors import UsageError

FILE_NAME = "pointsman.toml"
STATE_DIRECTORY = ".pointsman"
_PLACES = ("store", "fleet")
_OVERRIDABLE = ("store", "model", "channel", "fleet", "signing_key")
_PUBLIC_KEYS = ("POINTSMAN_PUBLIC_KEY", "POINTSMAN_PUBLIC_KEYS")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


class LocalSettings(msgspec.Struct, frozen=True):
    """`[local]`: how `deploy --platform local` starts the service."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8000


class Configuration(msgspec.Struct, frozen=True):
    """Everything that can stand in `pointsman.toml`."""

    store: str = ""
    model: str = ""
    channel: str = "production"
    fleet: str = ""
    signing_key: str = ""
    """The file of the private key that signs; see `pointsman keys new`."""
    public_keys: tuple[str, ...] = ()
    """The keys whose signatures count; services started from here demand one of them."""
    local: LocalSettings = LocalSettings()


class Project(msgspec.Struct, frozen=True):
    """The configuration in force, and the directory it belongs to."""

    configuration: Configuration
    directory: Path

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
    _anchor(values, directory)
    values |= _overrides(flags, environment, working_directory)
    if not values.get("store"):
        values["store"] = (directory / STATE_DIRECTORY / "store").as_uri()
    try:
        return Project(msgspec.convert(values, Configuration), directory)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        key = where.rstrip("`")
        raise UsageError(f"{path}: {key}: {what[:1].lower()}{what[1:]}") from error


def _find(start: Path) -> Path | None:
    for directory in (start, *start.parents):
        if (directory / FILE_NAME).is_file():
            return directory / FILE_NAME
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    known = list(_paths(_defaults()))
    for key in _paths(values):
        if key not in known and not _is_table(key, values):
            likely = difflib.get_close_matches(key, known, n=1)
            hint = f"Is it {likely[0]}?" if likely else f"Known keys: {', '.join(known)}."
            raise UsageError(f"{path}: there is no key {key}", hint)
    return values


def _defaults() -> dict[str, Any]:
    defaults: dict[str, Any] = msgspec.to_builtins(Configuration())
    return defaults


def _paths(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the keys of all values, those of tables with the table's: `local.port`."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _paths(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def _is_table(key: str, values: Mapping[str, Any]) -> bool:
    """Tell whether the key is a known table; an empty one says nothing, a wrong one fails later."""
    return isinstance(_defaults().get(key), dict) and key in values


def _anchor(values: dict[str, Any], directory: Path) -> None:
    """Make relative stores independent of where the command is run."""
    for key in _PLACES:
        place = values.get(key)
        if isinstance(place, str) and place and not _URL.match(place):
            values[key] = (directory / Path(place).expanduser()).absolute().as_uri()
    key_file = values.get("signing_key")
    if isinstance(key_file, str) and key_file:
        values["signing_key"] = str(directory / Path(key_file).expanduser())


def _overrides(
    flags: Mapping[str, str | None], environment: Mapping[str, str], working_directory: Path
) -> dict[str, Any]:
    """Return what the command line and the environment say; an empty variable says nothing."""
    given: dict[str, Any] = {}
    for key in _OVERRIDABLE:
        flag = flags.get(key)
        if flag == "":
            raise UsageError(f"--{key} is empty", f"Leave it out, or name the {key}.")
        value = flag or environment.get(f"POINTSMAN_{key.upper()}")
        if value:
            given[key] = value
    if public := [environment[name] for name in _PUBLIC_KEYS if environment.get(name)]:
        given["public_keys"] = tuple(public)
    _anchor(given, working_directory)
    return given
