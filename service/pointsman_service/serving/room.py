"""Room in memory for a version: found by the shared rules, and made by unloading what may go.

The rules are `pointsman.memory_policy`; here they meet what this process holds.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from pointsman import memory_policy
from pointsman.errors import PointsmanError
from pointsman.manifest import Manifest
from pointsman.memory_policy import Choice, Strategy
from pointsman_service.runtime.headroom import Headroom

log = logging.getLogger(__name__)

_FORCED = {"side-by-side": Strategy.SIDE_BY_SIDE, "drain-first": Strategy.DRAIN_FIRST}


class NoRoom(PointsmanError):
    """The version does not fit into memory here."""


class NoRoomEvenAlone(NoRoom):
    """It does not fit though everything else was unloaded; that is not tried twice."""


class Overtaken(PointsmanError):
    """The version is no longer wanted, so nothing is given up for it."""


class Holding(Protocol):
    """What is in memory, and may have to leave it."""

    def serving(self) -> list[Manifest]:
        """Return what answers requests."""
        ...

    def idle(self) -> list[Manifest]:
        """Return what is only kept to go back to."""
        ...

    async def unload_idle(self) -> None:
        """Unload that, and return when it is gone."""
        ...

    async def unload_serving(self) -> None:
        """Unload everything, when the last request is answered; nothing answers from now on."""
        ...


class Room:
    """How much there is, and which rules are followed."""

    def __init__(self, measure: Callable[[], Headroom | None], policy: str = "measured") -> None:
        """Follow what is measured, or `policy`: "side-by-side" or "drain-first", in any case."""
        self._measure = measure
        self._forced = _FORCED.get(policy)

    async def choose(
        self, wanted: Manifest, serving: list[Manifest], idle: list[Manifest]
    ) -> Choice:
        """Choose how to load `wanted`."""
        if self._forced is not None:
            drains = self._forced is Strategy.DRAIN_FIRST and serving
            return Choice(self._forced if drains else Strategy.SIDE_BY_SIDE, "so it is configured")
        headroom = await asyncio.to_thread(self._measure)
        available = headroom.available if headroom else None
        return memory_policy.choose(wanted, available, serving, idle)


class Site:
    """Where one version goes, while it is loaded."""

    def __init__(
        self, room: Room, holding: Holding, still_wanted: Callable[[], bool], *, may_drain: bool
    ) -> None:
        """Unload nothing that answers unless `may_drain`, nor anything unless `still_wanted`."""
        self._room = room
        self._holding = holding
        self._still_wanted = still_wanted
        self._may_drain = may_drain

    async def require(self, wanted: Manifest) -> Choice:
        """Find out whether there will be room, before anything is fetched; raises `NoRoom`."""
        serving = self._holding.serving() if self._may_drain else []
        choice = await self._room.choose(wanted, serving, self._holding.idle())
        if choice.strategy is Strategy.REFUSE:
            raise NoRoom(
                f"there is not enough memory: {choice.reason}",
                "Give the instance more memory, or publish a smaller model.",
            )
        return choice

    async def clear(self, wanted: Manifest) -> None:
        """Unload what has to go; raises `NoRoom`, and `Overtaken` before anything is given up."""
        choice = await self.require(wanted)
        if choice.strategy is Strategy.SIDE_BY_SIDE:
            return
        if not self._still_wanted():
            raise Overtaken(f"{wanted.version} is no longer wanted")
        log.warning("memory is short: %s", choice.reason)
        if choice.strategy is Strategy.IDLE_FIRST:
            await self._holding.unload_idle()
            return
        await self._holding.unload_serving()
        # Look again: how much was freed is only known now, and the kernel kills who takes too much.
        choice = await self._room.choose(wanted, [], [])
        if choice.strategy is Strategy.REFUSE:
            raise NoRoomEvenAlone(f"there is not enough memory even alone: {choice.reason}")
