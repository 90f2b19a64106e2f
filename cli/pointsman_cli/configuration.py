"""What the command works on: `pointsman.toml`, the environment, and the command line, in one.

The command line beats the environment, the environment beats the file, the file beats defaults.
With `--env NAME`, what stands under `[env.NAME]` of the file beats the rest of the file.
The file is looked for in the working directory and its parents. A relative store is relative to
where it is written down: to the file's folder, or to the working directory. Unknown keys are
errors, with their path.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pointsman_cli.errors import UsageError
from pointsman_cli.tables import (
    SHAPES,
    ImageSettings,
    KubernetesSettings,
    LocalSettings,
    RailwaySettings,
)

FILE_NAME = "pointsman.toml"
STATE_DIRECTORY = ".pointsman"
OVERRIDABLE = ("store", "model", "channel", "fleet", "signing_key")
"""The keys that are read from POINTSMAN_<KEY> too."""
_PLACES = ("store", "fleet")
_PUBLIC_KEYS = ("POINTSMAN_PUBLIC_KEY", "POINTSMAN_PUBLIC_KEYS")
# Names are free here. What may stand in `infra` is checked by `pointsman_infra.settings`.
_FREE = ("infra.", "railway.variables.", "kubernetes.variables.")
_ENVIRONMENTS = "env"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


class Configuration(msgspec.Struct, frozen=True):
    """Everything that can stand in `pointsman.toml`."""

    store: str = ""
    """Where versions live: a URL or a path; "" is what `infra up` made, or `.pointsman/store`."""
    model: str = ""
    """The model to work on."""
    channel: str = "production"
    """The channel that is moved, followed and reported on."""
    fleet: str = ""
    """Where instances report, if not into `store`."""
    signing_key: str = ""
    """The file of the private key that signs; see `pointsman keys new`."""
    public_keys: tuple[str, ...] = ()
    """The keys whose signatures count; services started from here demand one of them."""
    platform: str = "local"
    """Where `deploy` and its kin work, if no `--platform` says otherwise."""
    local: LocalSettings = LocalSettings()
    image: ImageSettings = ImageSettings()
    railway: RailwaySettings = RailwaySettings()
    kubernetes: KubernetesSettings = KubernetesSettings()
    infra: dict[str, Any] = {}
    """What `pointsman infra` provisions; its keys are checked there."""


class Project(msgspec.Struct, frozen=True):
    """The configuration in force, and the directory it belongs to."""

    configuration: Configuration
    directory: Path
    store_named: bool = True
    environment: str = ""
    """The name of the `[env.NAME]` in force; "" when none is."""

    def native(self, name: str) -> Path:
        """Return the path of a platform's own file: `fly.toml`, or in an environment its variant.

        With `--env staging` that is `fly.staging.toml`, if there is one.
        """
        plain = self.directory / name
        variant = plain.with_name(f"{plain.stem}.{self.environment}{plain.suffix}")
        return variant if self.environment and variant.is_file() else plain

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
    name = _environment_name(flags, environment)
    values = _overlaid(values, name, path or working_directory / FILE_NAME)
    _anchor(values, directory)
    values |= _overrides(flags, environment, working_directory)
    named = bool(values.get("store"))
    if not named:
        values["store"] = (directory / STATE_DIRECTORY / "store").as_uri()
    try:
        return Project(msgspec.convert(values, Configuration), directory, named, name)
    except msgspec.ValidationError as error:
        raise _misshapen(path, str(error)) from error


def _misshapen(path: Path | None, said: str) -> UsageError:
    """Retell what msgspec says of a value; a pattern is nothing that an operator should read."""
    what, _, where = said.partition(" - at `$.")
    for pattern, (lacking, advice) in SHAPES.items():
        if repr(pattern) in what:
            return UsageError(f"{path}: {where.rstrip('`')} is {lacking}", advice)
    return UsageError(f"{path}: {where.rstrip('`')}: {what[:1].lower()}{what[1:]}")


def environments(working_directory: Path) -> list[str]:
    """Return the names of the environments in the file; raises `UsageError` as `load` does."""
    path = _find(working_directory)
    return sorted(_read(path).get(_ENVIRONMENTS, {})) if path else []


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
    environments = values.get(_ENVIRONMENTS, {})
    if not isinstance(environments, dict):
        raise UsageError(f"{path}: {_ENVIRONMENTS} is no table", "Write [env.staging], e.g.")
    _check({key: values[key] for key in values if key != _ENVIRONMENTS}, path)
    for name, overlay in environments.items():
        if not isinstance(overlay, dict):
            raise UsageError(
                f"{path}: {_ENVIRONMENTS}.{name} is no table", f"Write [env.{name}] above its keys."
            )
        _check(overlay, path, f"{_ENVIRONMENTS}.{name}.")
    return values


def _check(values: Mapping[str, Any], path: Path, prefix: str = "") -> None:
    """Raise for a key that means nothing."""
    known = list(_paths(_defaults()))
    for key in _paths(values):
        if key not in known and not _is_table(key, values) and not key.startswith(_FREE):
            likely = difflib.get_close_matches(key, known, n=1)
            hint = f"Is it {prefix}{likely[0]}?" if likely else f"Known keys: {', '.join(known)}."
            raise UsageError(f"{path}: there is no key {prefix}{key}", hint)


def _environment_name(flags: Mapping[str, str | None], environment: Mapping[str, str]) -> str:
    flag = flags.get(_ENVIRONMENTS)
    if flag == "":
        raise UsageError("--env is empty", "Leave it out, or name the environment.")
    return flag or environment.get("POINTSMAN_ENV", "")


def _overlaid(values: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    """Return the file's values, with those of the environment called `name` over them."""
    environments = values.pop(_ENVIRONMENTS, {})
    if not name:
        return values
    if name not in environments:
        there = f"There is: {', '.join(sorted(environments))}." if environments else ""
        raise UsageError(
            f"{path}: there is no environment {name!r}",
            there or f"Write what is different there under [env.{name}].",
        )
    return _merged(values, environments[name])


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(under, dict) and isinstance(value, dict)
        merged[key] = _merged(under, value) if both else value  # type: ignore[arg-type]
    return merged


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
    for key in OVERRIDABLE:
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
