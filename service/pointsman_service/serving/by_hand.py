"""Versions that an operator wants in memory, beside those that the channel asks for.

They go through the same steps as every other version, get only requests that name them, and are
the first to leave when memory is needed. What the channel asks for is not touched: neither is a
version of it unloaded, nor does another one get its requests.
"""

import asyncio

from pointsman.channel import Pointer
from pointsman.errors import NotFound, PointsmanError, StoreError
from pointsman.registry import Registry
from pointsman_service.errors import NotServing, Unfitting, UnknownVersion
from pointsman_service.serving.holding import Held
from pointsman_service.serving.loader import Loader
from pointsman_service.serving.manager import Manager
from pointsman_service.serving.room import Room, Site
from pointsman_service.serving.router import Router
from pointsman_service.serving.servable import Servable


class ByHand:
    """Loads and unloads; used from the event loop only."""

    def __init__(
        self, registry: Registry, loader: Loader, manager: Manager, router: Router, room: Room
    ) -> None:
        self._registry = registry
        self._loader = loader
        self._manager = manager
        self._router = router
        self._room = room

    async def load(self, model: str, version: str, digest: str = "") -> Servable:
        """Return the servable of a version, which from now on stays in memory.

        Raises `UnknownVersion` for one that was never published, `NotServing` when the store does
        not answer, and `Unfitting` with the reason for one that must not serve here.
        """
        try:
            pointer = await self._pointer(model, version, digest)
            self._manager.residents.by_hand.add(pointer.digest)
            try:
                return await self._brought(pointer)
            except BaseException:
                self._manager.residents.by_hand.discard(pointer.digest)
                raise
        except NotFound as error:
            raise UnknownVersion(f"failed to load {model!r}: {error}") from error
        except StoreError as error:
            raise NotServing(f"failed to load {model!r}: {error}") from error
        except (PointsmanError, OSError) as error:
            raise Unfitting(f"failed to load {model!r}: {error}") from error

    async def unload(self, version: str | None = None) -> None:
        """Unload a version, or all that are only here by hand; it returns when they are gone.

        Raises `Unfitting` for one that the channel asks for.
        """
        residents = self._manager.residents
        for servable in [each for each in residents if each.version.digest in residents.ready]:
            digest = servable.version.digest
            if version not in {servable.name, None}:
                continue
            if self._manager.role(servable) is None and (version or digest in residents.by_hand):
                residents.by_hand.discard(digest)
                residents.keep({each for each in residents.ready if each != digest})
            elif version:
                raise Unfitting(
                    f"failed to unload {version}: the channel asks for it; activate another one"
                )
        await residents.settled()

    async def _pointer(self, model: str, version: str, digest: str) -> Pointer:
        here = self._manager.residents.named(version)
        if here is not None:
            found = here.version.digest
        else:
            published = await asyncio.to_thread(self._registry.version, model, version)
            found = published.digest
        if digest and digest != found:
            raise Unfitting(f"failed to load {model!r}: {version} has the digest {found}")
        return Pointer(version=version, digest=found)

    async def _brought(self, pointer: Pointer) -> Servable:
        residents, loads = self._manager.residents, self._manager.loads
        while pointer.digest not in residents.ready:
            load = loads.current
            if load is not None and load.pointer.digest != pointer.digest:
                await loads.free()
                continue
            if load is None:
                load = loads.begin(pointer, self._loader.load(pointer, self._site(pointer)))
            await asyncio.wait({load.task})
            if loads.current is load:  # else the manager was first to take the result
                loads.finished()
                residents.add(load.task.result())
            load.task.result()
        return residents.get(pointer.digest)

    def _site(self, pointer: Pointer) -> Site:
        held = Held(self._manager.residents, self._router)

        def still_wanted() -> bool:
            return pointer.digest in self._manager.residents.by_hand

        return Site(self._room, held, still_wanted, may_drain=False)
