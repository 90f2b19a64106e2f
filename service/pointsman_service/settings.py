"""What the service can be told, by environment variables; read once, then only passed down.

Every field is `POINTSMAN_<FIELD>`, except `PORT`, which platforms set by that name. Variables
that begin with `POINTSMAN_` and mean nothing are reported, not refused: Kubernetes invents some.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from pointsman.errors import InvalidName, PointsmanError
from pointsman.names import channel_name, instance_name, model_name
from pointsman.signing.keypair import PublicKey, parse_all
from pointsman_service.keys import hashed

_PREFIX = "POINTSMAN_"
_DAY = 24 * 60 * 60

# Bounds on both sides, because they are also what keeps "nan" and "inf" out.
Interval = Annotated[float, Meta(gt=0, le=_DAY)]
Patience = Annotated[float, Meta(ge=0, le=_DAY)]


class SettingsInvalid(PointsmanError):
    """A variable is missing or has a value that cannot be."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of the service. Times are seconds, sizes bytes."""

    store: str
    """Where versions and channels are: a URL or a path."""
    model: str
    """The model to serve."""
    channel: str = "production"
    """The channel that says which version of it."""
    fleet: str = ""
    """Where heartbeats go, if not into `store`."""
    host: str = "0.0.0.0"  # noqa: S104 — a container's service must be reachable
    """The address it listens on."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    """0 picks a free port, which the log then names."""
    cache_dir: str = ""
    """Where verified files are kept; `~/.cache/pointsman` if nothing is said."""
    cache_max_bytes: Annotated[int, Meta(ge=0)] = 0
    """How much of them to keep, besides what is in use; 0 is as much as the disk has room for."""
    instance: str = ""
    """This instance's name, if the platform gives it none."""
    poll_seconds: Interval = 2.0
    """How often it asks whether the channel has changed."""
    polling: Literal["always", "while-active"] = "always"
    """Whether the channel is followed also while nobody asks for predictions."""
    idle_seconds: Interval = 60.0
    """After how long without a request it then rests, neither polling nor beating."""
    heartbeat_seconds: Interval = 30.0
    """How often it reports if nothing changes; while a canary runs, every 5 s if that is less."""
    sticky_header: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]*$")] = ""
    """The header whose value decides who gets a canary; chance does if nothing is said."""
    bake_seconds: Patience = 300.0
    """How long a version that was switched to is watched, and left again if it is worse; 0: not."""
    quarantine: bool = False
    """Whether it then marks the version in the store, so that no instance loads it any more. It
    must be allowed to write below `models/` for that, and then its key can block any version."""
    memory: Literal["measured", "side-by-side", "drain-first"] = "measured"
    """How a new version gets into memory: as there is room, or always in one way."""
    memory_limit_bytes: Annotated[int, Meta(ge=0)] = 0
    """What this process may hold, if that is less than cgroup and host allow; 0: what they do."""
    drain_grace: Patience = 1.0
    """How long it still accepts requests after SIGTERM, while readiness already says no."""
    drain_timeout: Patience = 20.0
    """How long requests in flight may then take; keep it below the platform's kill time."""
    max_body_bytes: Annotated[int, Meta(gt=0)] = 64 << 20
    """How large a body may be, before and after decompression; a larger one gets 413."""
    max_queue: Annotated[int, Meta(gt=0)] = 512
    """How many requests may wait for a version; further ones get 429 and `Retry-After`."""
    max_batch_size: Annotated[int, Meta(gt=0, le=4096)] = 64
    """How many rows of different requests are computed together at most; 1 for never."""
    busy_poll_microseconds: Annotated[int, Meta(ge=0, le=1000)] = 50
    """How long to look for the next request before sleeping, where that pays; 0 for never."""
    threads: Annotated[int, Meta(ge=0, le=1024)] = 0
    """Threads of one inference; 0 takes what the cgroup's CPU quota allows."""
    log_format: Literal["console", "json"] = "console"
    """How the log is written: for people, or one object a line."""
    access_log: bool = False
    """Whether every request is logged."""
    traces: bool = False
    """Whether every request becomes an OpenTelemetry span; needs `pointsman-service[otel]`."""
    api_keys: str = ""
    """Who asks for predictions needs one of these, if there are any; commas or spaces part them."""
    admin_keys: str = ""
    """Who changes what is served by HTTP needs one of these; nobody can if there are none."""
    request_timeout: Patience = 0
    """After this long a request gets 504; 0 takes as long as it takes."""
    receive_timeout: Interval = 30.0
    """How long a client may take over a request's head, or pause within its body, before 408."""
    public_keys: str = ""
    """Only what one of these keys signed is served; separated by spaces or commas."""
    public_key: str = ""
    """Another one: who has a single key may say so."""

    @property
    def trusted_keys(self) -> tuple[PublicKey, ...]:
        """The keys whose signatures count; raises `KeyUnusable` for what is none."""
        return parse_all((self.public_keys, self.public_key))

    @property
    def cache(self) -> Path:
        """The cache's directory."""
        return Path(self.cache_dir)


def _public_keys(text: str) -> str:
    """Return `text` if it holds a key: to trust everybody is not what white space means."""
    if not parse_all((text,)):
        raise InvalidName("no key", "It holds no key: set it to one, or leave it out.")
    return text


def _keys(text: str) -> str:
    """Return the digests of keys: nobody means white space as one, or as none."""
    if digests := hashed(text):
        return digests
    raise InvalidName("no key", "It holds no key: set it to one, or leave it out.")


_SECRET = {"api_keys", "admin_keys"}
_NAMES: dict[str, Callable[[str], str]] = {
    "model": model_name,
    "channel": channel_name,
    "instance": instance_name,
    "api_keys": _keys,
    "admin_keys": _keys,
    "public_key": _public_keys,
    "public_keys": _public_keys,
}


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings; raises `SettingsInvalid`, which names the variable at fault."""
    given = {
        field.name: _value(field, text)
        for field in msgspec.structs.fields(Settings)
        if (text := environment.get(variable(field.name)))
    }
    if missing := [field for field in ("store", "model") if field not in given]:
        raise SettingsInvalid(
            f"{variable(missing[0])} is not set",
            "The service needs POINTSMAN_STORE and POINTSMAN_MODEL.",
        )
    return Settings(**{"cache_dir": str(_default_cache(environment))} | given)


def variable(field: str) -> str:
    """Return the name of the environment variable behind a field."""
    return "PORT" if field == "port" else _PREFIX + field.upper()


def unknown(environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables that look like settings and are none, each with its likely meaning."""
    meanings = {field.upper(): variable(field) for field in Settings.__struct_fields__}
    strange = {}
    for name in environment:
        if name.startswith(_PREFIX) and name not in meanings.values():
            import difflib

            close = difflib.get_close_matches(name.removeprefix(_PREFIX), meanings, n=1)
            strange[name] = meanings[close[0]] if close else ""
    return strange


def _value(field: Any, text: str) -> Any:
    try:
        value = msgspec.convert(text.strip(), field.type, strict=False)
        return _NAMES[field.name](value) if field.name in _NAMES else value
    except msgspec.ValidationError as error:
        reason = _expected(field.type, str(error))
    except InvalidName as error:
        reason = error.hint
    shown = "what it is" if field.name in _SECRET else repr(text)
    raise SettingsInvalid(f"{variable(field.name)} cannot be {shown}", reason)


def _expected(kind: Any, complaint: str) -> str:
    if get_origin(kind) is Literal:
        return f"It is one of {', '.join(get_args(kind))}."
    # "Expected `int` <= 65535", or "Expected `int`, got `str`", whose end says nothing here.
    wanted = complaint.removeprefix("Expected ").partition(", got")[0].replace("`", "")
    return f"It is {wanted.replace('float', 'a number').replace('int', 'a whole number')}."


def _default_cache(environment: Mapping[str, str]) -> Path:
    """Return where caches belong, or a temporary place for users who have no home."""
    if base := environment.get("XDG_CACHE_HOME"):
        return Path(base) / "pointsman"
    try:
        return Path.home() / ".cache" / "pointsman"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / "pointsman"
