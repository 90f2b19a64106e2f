"""What the service can be told, by environment variables; read once, then only passed down.

Every field is `POINTSMAN_<FIELD>`, except `PORT`, which platforms set by that name. Variables
that begin with `POINTSMAN_` and mean nothing are reported, not refused: Kubernetes invents some.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pointsman.errors import PointsmanError
from pointsman.names import channel_name, instance_name, model_name
from pointsman.signing.keypair import PublicKey, parse_all

_PREFIX = "POINTSMAN_"


class SettingsInvalid(PointsmanError):
    """A variable is missing or has a value that cannot be."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of the service. Times are seconds, sizes bytes."""

    store: str
    model: str
    channel: str = "production"
    fleet: str = ""
    """Where heartbeats go, if not into `store`."""
    host: str = "0.0.0.0"  # noqa: S104 — a container's service must be reachable
    port: int = 8000
    """0 picks a free port."""
    cache_dir: str = ""
    """Where verified files are kept; `~/.cache/pointsman` if empty."""
    instance: str = ""
    """This instance's name, if the platform gives it none."""
    poll_seconds: float = 2.0
    heartbeat_seconds: float = 30.0
    drain_grace: float = 1.0
    """How long it still accepts requests after SIGTERM, while readiness already says no."""
    drain_timeout: float = 20.0
    """How long requests in flight may then take; keep it below the platform's kill time."""
    max_body_bytes: int = 64 << 20
    threads: int = 0
    """Threads of one inference; 0 takes what the cgroup's CPU quota allows."""
    log_format: str = "console"
    """`console` or `json`."""
    public_keys: str = ""
    """Only what one of these keys signed is served; separated by spaces or commas."""
    public_key: str = ""
    """Another one: who has a single key may say so."""

    def __post_init__(self) -> None:
        """Refuse what could only fail later."""
        model_name(self.model)
        channel_name(self.channel)
        if self.instance:
            instance_name(self.instance)
        for name in ("poll_seconds", "heartbeat_seconds", "max_body_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0")
        for name in ("drain_grace", "drain_timeout", "threads"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        if self.log_format not in {"console", "json"}:
            raise ValueError("log_format is console or json")

    @property
    def trusted_keys(self) -> tuple[PublicKey, ...]:
        """The keys whose signatures count; raises `KeyUnusable` for what is none."""
        given = [text for text in (self.public_keys, self.public_key) if text]
        keys = parse_all(given)
        if given and not keys:
            # Nothing but white space: to trust everybody is not what was meant.
            raise SettingsInvalid("POINTSMAN_PUBLIC_KEYS holds no key", "Set it, or leave it out.")
        return keys

    @property
    def cache(self) -> Path:
        """The cache's directory."""
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(self.cache_dir) if self.cache_dir else Path(base) / "pointsman"


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings; raises `SettingsInvalid`, which names the variable at fault."""
    values = {
        field: environment[variable(field)]
        for field in Settings.__struct_fields__
        if environment.get(variable(field))
    }
    if missing := [field for field in ("store", "model") if field not in values]:
        raise SettingsInvalid(
            f"{variable(missing[0])} is not set",
            "The service needs POINTSMAN_STORE and POINTSMAN_MODEL.",
        )
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsInvalid(f"a POINTSMAN_ variable is wrong: {error}") from error


def variable(field: str) -> str:
    """Return the name of the environment variable behind a field."""
    return "PORT" if field == "port" else _PREFIX + field.upper()


def unknown(environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables that look like settings and are none, each with its likely meaning."""
    known = [variable(field) for field in Settings.__struct_fields__]
    strange = [name for name in environment if name.startswith(_PREFIX) and name not in known]
    return {name: "".join(difflib.get_close_matches(name, known, n=1)) for name in strange}
