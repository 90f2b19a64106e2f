"""Reading `railway.json`: strictly, so that nothing written there is silently without effect."""

import difflib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pointsman_cli.errors import UsageError
from pointsman_cli.platforms.railway.settings import Build, Deploy, Settings

NAME = "railway.json"
_BLOCKS: dict[str, type[msgspec.Struct]] = {"build": Build, "deploy": Deploy}
_TOP = ("$schema", "build", "deploy", "environments")
_NO_BUILDER = "the image is built from a Dockerfile, to which this does not apply: remove it"
_UNSUPPORTED = {
    "build.buildCommand": _NO_BUILDER,
    "build.buildEnvironment": _NO_BUILDER,
    "build.nixpacksConfigPath": _NO_BUILDER,
    "build.nixpacksPlan": _NO_BUILDER,
    "build.nixpacksVersion": _NO_BUILDER,
    "build.railpackVersion": _NO_BUILDER,
    "build.watchPatterns": "pointsman deploys when it is told to, not on a push: remove it",
    "deploy.cronSchedule": "a service that answers requests runs all the time: remove it",
    "deploy.limitOverride": "its effect cannot be read back: set it in Railway's dashboard",
    "deploy.registryCredentials": "a secret does not belong into a file: remove it, and set "
    "RAILWAY_REGISTRY_USERNAME and RAILWAY_REGISTRY_PASSWORD",
    "deploy.requiredMountPath": "the service keeps nothing that needs a volume: remove it",
    "deploy.runtime": "Railway has only one left: remove it",
    "deploy.useLegacyStacker": "Railway has only one left: remove it",
}


def read(path: Path, environment: str) -> Settings:
    """Return what the file says for a Railway environment; without a file, what is usual.

    Raises `UsageError` that names the file and the key at fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} is not JSON: {error}",
            "Mend it; or move it away, and `pointsman init --platform railway` writes a good one.",
        ) from error
    _check(path, document)
    overlay = document.get("environments", {}).get(environment) or {}
    merged = {name: document.get(name, {}) | overlay.get(name, {}) for name in _BLOCKS}
    return Settings(**{name: _block(path, name, merged[name]) for name in _BLOCKS})


def _check(path: Path, document: Any) -> None:
    """Raise for everything that is no table, or a key nobody knows."""
    _table(path, document, "the file")
    _known(path, "", document, _TOP)
    environments = document.get("environments", {})
    _table(path, environments, "environments")
    _check_blocks(path, document, "")
    for name, overlay in environments.items():
        if overlay is None:
            continue
        _table(path, overlay, f"environments.{name}")
        _known(path, f"environments.{name}.", overlay, _BLOCKS)
        _check_blocks(path, overlay, f"environments.{name}.")


def _check_blocks(path: Path, document: Mapping[str, Any], prefix: str) -> None:
    for block, struct in _BLOCKS.items():
        values = document.get(block, {})
        _table(path, values, prefix + block)
        for key in values:
            if reason := _UNSUPPORTED.get(f"{block}.{key}"):
                raise UsageError(f"{path}: {prefix}{block}.{key} cannot be applied", reason)
        names = [field.encode_name for field in msgspec.structs.fields(struct)]
        _known(path, f"{prefix}{block}.", values, names)


def _known(path: Path, prefix: str, values: Iterable[str], names: Iterable[str]) -> None:
    known = list(names)
    for key in values:
        if key not in known:
            likely = difflib.get_close_matches(key, known, n=1)
            there = ", ".join(each for each in known if not each.startswith("$"))
            hint = f"Is it {prefix}{likely[0]}?" if likely else f"Known keys: {there}."
            raise UsageError(f"{path}: there is no key {prefix}{key}", hint)


def _table(path: Path, value: Any, what: str) -> None:
    if not isinstance(value, dict):
        raise UsageError(f"{path}: {what} is no object", 'It has to be { "key": value, … }.')


def _block(path: Path, name: str, values: Mapping[str, Any]) -> Any:
    try:
        return msgspec.convert(values, _BLOCKS[name])
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        key = name + where.rstrip("`")
        if key == "build.builder":
            what, hint = "only DOCKERFILE is supported", "The service is an image: see Dockerfile."
        else:
            hint = "https://docs.railway.com/config-as-code/reference has every key."
        raise UsageError(f"{path}: {key}: {what[:1].lower()}{what[1:]}", hint) from error
