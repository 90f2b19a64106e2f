"""What is in memory here, by what would be missed if it left: the router's, and all the rest."""

from pointsman.manifest import Manifest
from pointsman_service.serving.residents import Residents
from pointsman_service.serving.router import Router
from pointsman_service.serving.servable import Servable


class Held:
    """A `room.Holding` of the residents."""

    def __init__(self, residents: Residents, router: Router) -> None:
        self._residents = residents
        self._router = router

    def serving(self) -> list[Manifest]:
        """Return what answers requests."""
        return [each.version.manifest for each in self._routed()]

    def idle(self) -> list[Manifest]:
        """Return the others: the version to go back to, and a shadow, which nobody waits for."""
        routed = {each.version.digest for each in self._routed()}
        others = [digest for digest in self._residents.ready if digest not in routed]
        return [self._residents.get(digest).version.manifest for digest in others]

    async def unload_idle(self) -> None:
        """Unload what no request can come to."""
        routed = {each.version.digest for each in self._routed()}
        self._residents.keep(routed, by_hand=False)
        await self._residents.settled()

    async def unload_serving(self) -> None:
        """Send no more requests anywhere, and unload everything once those in flight are done."""
        self._router.switch(None)
        self._router.split(None)
        self._residents.keep((), by_hand=False)
        await self._residents.settled()

    def _routed(self) -> list[Servable]:
        return [each for each in (self._router.stable, self._router.canary) if each is not None]
