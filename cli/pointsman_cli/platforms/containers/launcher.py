"""Starting a container of the service, and finding out why it does not serve."""

import os
import time
from pathlib import Path
from typing import Any

from pointsman_cli import client
from pointsman_cli.context import Context
from pointsman_cli.images.engine import Engine
from pointsman_cli.platforms import variables
from pointsman_cli.platforms.containers.arguments import Run, folder
from pointsman_cli.platforms.containers.record import Record

_LOOK_SECONDS = 0.1
_STOP_SECONDS = 40
_PASSED_ON = "POINTSMAN_"
_KEPT_BACK = (
    variables.RUNTIME_PREFIX,
    "POINTSMAN_PUBLISHER_",
    "POINTSMAN_SIGNING_KEY",
    "POINTSMAN_CACHE_DIR",
    "POINTSMAN_ENV",
)
_OWN_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class DoesNotServe(Exception):
    """A container ended, or refuses what it should serve; the message says why."""


class Launcher:
    """Starts and ends containers of one project."""

    def __init__(self, context: Context, engine: Engine) -> None:
        self._context = context
        self._engine = engine

    def start(self, record: Record, *, restarts: bool = True) -> None:
        """Start a container; one of the same name is removed before."""
        settings = self._context.project.configuration
        in_folder = settings.store.startswith("file:")
        run = Run(
            name=record.name,
            image=record.image,
            host=record.host,
            port=record.port,
            network=settings.local.network,
            variables=told(self._context) | {"POINTSMAN_INSTANCE": record.instance},
            owner=_owner(settings.store) if in_folder else "",
            cache=self._cache if in_folder else None,
            restarts=restarts,
        )
        self._engine.remove(record.name)
        self._engine.run(run.arguments, run.environment)

    def wait(self, record: Record, *, ready: bool, seconds: float) -> None:
        """Return when this very container answers or, with `ready`, serves.

        Raises `DoesNotServe`.
        """
        deadline = time.monotonic() + seconds
        while True:
            health = client.health(record.url)
            if health is not None and health.body.get("instance") == record.instance:
                if health.ready or not ready:
                    return
                if health.body.get("status") == "failed":
                    raise DoesNotServe(str(health.body.get("reason")))
            if cause := self._ended(record.name):
                raise DoesNotServe(cause)
            if time.monotonic() > deadline:
                raise DoesNotServe("it does not serve in time")
            time.sleep(_LOOK_SECONDS)

    def end(self, name: str) -> None:
        """End a container in good order, and remove it; one that is not there is no matter."""
        if self._engine.container(name) is not None:
            self._engine.stop(name, _STOP_SECONDS)
            self._engine.remove(name)

    def set_aside(self, name: str) -> None:
        """End a container in good order, and keep it by another name."""
        self.forget(name)
        self._engine.stop(name, _STOP_SECONDS)
        self._engine.rename(name, aside(name))

    def bring_back(self, name: str) -> None:
        """Start what was set aside in the place of what took its name.

        If setting it aside was cut short, it has the name still; it ends before it starts anew.
        """
        if self._engine.container(aside(name)) is None:
            self._engine.stop(name, _STOP_SECONDS)
        else:
            self._engine.remove(name)
            self._engine.rename(aside(name), name)
        self._engine.start(name)

    def forget(self, name: str) -> None:
        """Remove what was set aside, if anything was."""
        self._engine.remove(aside(name))

    def runs(self, name: str) -> bool:
        """Tell whether a container runs."""
        found = self._engine.container(name)
        return bool(found and found["State"].get("Running"))

    def _ended(self, name: str) -> str:
        """Say why a container ended; "" while it runs for the first time."""
        found = self._engine.container(name) or {}
        state: dict[str, Any] = found.get("State") or {}
        if state.get("OOMKilled"):
            return "it ran out of memory"
        if state.get("Running") and not found.get("RestartCount"):
            return ""
        said = [line for line in self._engine.logs(name, follow=False, lines=20) if line.strip()]
        errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
        words = (errors or said or ["it said nothing"])[-1]
        # Between two starts there is no code of the last one.
        code = f" with {state['ExitCode']}" if state.get("ExitCode") else ""
        return f"it ended{code}: {words}"

    @property
    def _cache(self) -> Path:
        cache = self._context.project.state / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        return cache


def aside(name: str) -> str:
    """Return what a container is called while another one tries to take its place."""
    return f"{name}-previous"


def told(context: Context) -> dict[str, str]:
    """Return the service's variables; on this machine the operator's own key may serve it too."""
    given = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_PASSED_ON) and not name.startswith(_KEPT_BACK)
    } | variables.of_service(context, "local").all()
    store = context.project.configuration.store
    if not store.startswith("file:") and "AWS_ACCESS_KEY_ID" not in given:
        given |= {name: os.environ[name] for name in _OWN_KEYS if os.environ.get(name)}
    return given


def _owner(store: str) -> str:
    """Return who may write a store that is a folder: the service runs as them."""
    path = Path(folder(store))
    path.mkdir(parents=True, exist_ok=True)
    facts = path.stat()
    return f"{facts.st_uid}:{facts.st_gid}"
