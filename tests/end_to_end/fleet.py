"""A fleet of real services on the store of a workspace, each with a cache of its own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.cli.workspace import MODEL, Workspace, until
from tests.end_to_end.clients import Clients
from tests.servers import service_process
from tests.servers.service_process import ServiceProcess

NAMES = ("one", "two", "three")
FACTORS = {"v1": 2.0, "v2": 3.0}


class Fleet:
    """Services, by the name of their instance."""

    def __init__(self, workspace: Workspace, root: Path, store: str = "") -> None:
        self._workspace = workspace
        self._root = root
        self._store = store or workspace.store.as_uri()
        self.services: dict[str, ServiceProcess] = {}

    @contextmanager
    def of(self, *names: str, **variables: str) -> Iterator[None]:
        """Run services of these names until the block ends; each serves, and has said so."""
        with ExitStack() as stack:
            for name in names:
                self.services[name] = stack.enter_context(
                    service_process.running(
                        self._root / name,
                        self._store,
                        MODEL,
                        POINTSMAN_INSTANCE=name,
                        **variables,
                    )
                )
            until(lambda: self.reporting() >= set(names), f"{names} report")
            yield

    @contextmanager
    def asked(self, *names: str) -> Iterator[dict[str, Clients]]:
        """Let clients ask these instances, or all, until the block ends."""
        with ExitStack() as stack:
            yield {
                name: stack.enter_context(Clients(self.services[name], FACTORS))
                for name in names or self.services
            }

    def reporting(self) -> set[str]:
        """Which instances say that they serve something."""
        instances = self._workspace.json("status")["instances"]
        return {each["instance"] for each in instances if each.get("serving")}

    def answers(self) -> dict[str, float]:
        """What every service makes of a one."""
        return {
            name: service.predict([[1.0] * 4]).json()["outputs"]["y"][0][0]
            for name, service in self.services.items()
        }


def wrong_clock(by: timedelta) -> dict[str, str]:
    """Return the variables with which a Python process has a wrong clock."""
    return {
        "PYTHONPATH": str(Path(service_process.__file__).with_name("wrong_clock")),
        "WRONG_CLOCK_SECONDS": str(by.total_seconds()),
    }


def states(document: Any) -> dict[str, str]:
    """Return where every instance stands, by a command's document."""
    return {each["id"]: each["state"] for each in document["instances"]}
