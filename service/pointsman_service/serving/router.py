"""The router: which servable answers the next request.

Nearly always there is nothing to choose; that way costs one look. Choosing is for canaries, for
requests that name their version, and for the first request after a rest.
"""

from collections.abc import Callable

from pointsman_service.errors import NotServing, UnknownVersion
from pointsman_service.serving.servable import Handle, Servable
from pointsman_service.serving.split import Split


def _nobody(_version: str) -> Servable | None:
    return None


class Router:
    """Holds what answers; changing that is one assignment on the event loop."""

    def __init__(self) -> None:
        self._stable: Servable | None = None
        self._canary: tuple[Servable, Split] | None = None
        self._woken: Callable[[], None] | None = None
        self._find: Callable[[str], Servable | None] = _nobody
        self.unserved = 0
        """Requests that found nothing to choose from."""
        self._plain: Servable | None = None
        """The one that answers every request, while there is nothing to choose."""

    @property
    def stable(self) -> Servable | None:
        """The servable in force, if there is one."""
        return self._stable

    @property
    def canary(self) -> Servable | None:
        """The servable that gets a share of the requests, if there is one."""
        return self._canary[0] if self._canary else None

    def claim(self, key: bytes | None = None, version: str | None = None) -> Handle:
        """Choose and claim in one step.

        The same `key` always gets the same of stable and canary; `version` names one of those that
        are in memory. Raises `NotServing` when there is nothing to choose, and `UnknownVersion`.
        """
        plain = self._plain
        if plain is not None and version is None:
            return plain.claim()
        return self._choose(key, version)

    def find_by(self, find: Callable[[str], Servable | None]) -> None:
        """Let `find` return the servable of a version that a request names."""
        self._find = find

    def switch(self, servable: Servable | None) -> Servable | None:
        """Let `servable` answer from the next request on; return the one it replaces."""
        replaced, self._stable = self._stable, servable
        self._look()
        return replaced

    def split(self, canary: Servable | None, weight: int = 0) -> None:
        """Let `canary` answer `weight` percent of the requests from the next one on; or none."""
        self._canary = (canary, Split(canary.version.digest, weight)) if canary else None
        self._look()

    def at_next_request(self, woken: Callable[[], None]) -> None:
        """Call `woken` once, when the next request comes."""
        self._woken = woken
        self._look()

    def _look(self) -> None:
        nothing_to_choose = self._canary is None and self._woken is None
        self._plain = self._stable if nothing_to_choose else None

    def _choose(self, key: bytes | None, version: str | None) -> Handle:
        if self._woken is not None:
            woken, self._woken = self._woken, None
            self._look()
            woken()
        if version is not None:
            return self._named(version).claim()
        if self._stable is None:
            self.unserved += 1
            raise NotServing("no version is ready yet")
        if self._canary is not None and self._canary[1].takes(key):
            return self._canary[0].claim()
        return self._stable.claim()

    def _named(self, version: str) -> Servable:
        if self._stable is not None and self._stable.name == version:
            return self._stable
        found = self._find(version)
        if found is None:
            raise UnknownVersion(f"the version {version} is not in memory here")
        return found
