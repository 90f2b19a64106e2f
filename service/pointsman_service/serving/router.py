"""The router: which servable answers the next request."""

from pointsman_service.errors import NotServing
from pointsman_service.serving.servable import Handle, Servable


class Router:
    """Holds the servable in force; replacing it is one assignment on the event loop."""

    def __init__(self) -> None:
        self._stable: Servable | None = None

    @property
    def stable(self) -> Servable | None:
        """The servable in force, if there is one."""
        return self._stable

    def claim(self, _key: bytes | None = None, version: str | None = None) -> Handle:
        """Choose and claim in one step; raises `NotServing` when there is nothing to choose."""
        if self._stable is None:
            raise NotServing("no version is ready yet")
        if version is not None and version != self._stable.name:
            raise NotServing(f"{version} is not served here")
        return self._stable.claim()

    def switch(self, servable: Servable) -> Servable | None:
        """Let `servable` answer from the next request on; return the one it replaces."""
        replaced, self._stable = self._stable, servable
        return replaced
