"""How a container of the service is started here: the engine's arguments, and no secret in them.

Pure: variables are named in the arguments, and have their values in the environment of the
engine's client. The container may write nothing but its cache, and runs as nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

INSIDE_PORT = 8000
_CACHE = "/var/cache/pointsman"
_STOP_SECONDS = 30
"""Above the service's own drain_grace + drain_timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One container that is wanted."""

    name: str
    image: str
    host: str
    port: int
    network: str
    """The engine's network; `host` needs no port to be published, "" is the engine's own."""
    variables: Mapping[str, str]
    owner: str = ""
    """`uid:gid` to run as where the store is a folder, which only its owner may write."""
    cache: Path | None = None
    """The cache of such a service; others keep theirs in a volume."""
    restarts: bool = True
    """Whether the engine starts it again when it fails."""

    @property
    def environment(self) -> dict[str, str]:
        """Every variable with its value."""
        inside = self.port if self.network == "host" else INSIDE_PORT
        listening = {"PORT": str(inside)}
        if self.network == "host":
            listening["POINTSMAN_HOST"] = self.host
        return {**self.variables, **listening}

    @property
    def arguments(self) -> list[str]:
        """What follows `run --detach`."""
        return [
            *("--name", self.name, "--label", "pointsman.deployment=local"),
            *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),  # noqa: S108 — inside
            *("--security-opt", "no-new-privileges"),
            *("--restart", "on-failure" if self.restarts else "no"),
            *("--stop-timeout", str(_STOP_SECONDS), "--log-opt", "max-size=20m"),
            *self._network(),
            *self._user(),
            *self._volumes(),
            *(word for name in sorted(self.environment) for word in ("--env", name)),
            self.image,
        ]

    def _network(self) -> list[str]:
        if self.network == "host":
            return ["--network", "host"]
        host = f"[{self.host}]" if ":" in self.host else self.host
        published = ["--publish", f"{host}:{self.port}:{INSIDE_PORT}"]
        return ["--network", self.network, *published] if self.network else published

    def _user(self) -> list[str]:
        return ["--user", self.owner] if self.owner else []

    def _volumes(self) -> list[str]:
        places = [self.variables.get(f"POINTSMAN_{name}", "") for name in ("STORE", "FLEET")]
        folders = sorted({folder(place) for place in places if place.startswith("file:")})
        cache = str(self.cache) if self.cache else f"{volume(self.name)}"
        mounts = [f"{cache}:{_CACHE}", *(f"{each}:{each}" for each in folders)]
        return [word for each in mounts for word in ("--volume", each)]


def folder(url: str) -> str:
    """Return the folder that a `file://` URL names."""
    return unquote(urlsplit(url).path)


def volume(name: str) -> str:
    """Return the volume that a container keeps its cache in; a trial shares it."""
    return f"{name.removesuffix('-trial')}-cache"
