"""The manager: brings what is served in line with what is aspired, one step at a time.

Prepare fully, switch in one assignment, then clean up: a failure before the switch changes
nothing for clients. The version served before stays resident, so that going back is immediate.
Stable, canary and shadow are loaded and proven alike; only the stable version is ever worth an
interruption, and only where memory leaves no other way.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from pointsman.channel import ROLLBACK, Channel, Pointer, previous
from pointsman_service.runtime import memory
from pointsman_service.serving import last_good, refusal, roles
from pointsman_service.serving.aspired import Aspired, LastServed
from pointsman_service.serving.bake_window import BakeWindow
from pointsman_service.serving.counters import Counters, Timing
from pointsman_service.serving.holding import Held
from pointsman_service.serving.loader import Loader
from pointsman_service.serving.loads import Load, Loads
from pointsman_service.serving.outlook import Outlook, outlook
from pointsman_service.serving.policy import Action
from pointsman_service.serving.refusal import Refusal
from pointsman_service.serving.residents import Residents
from pointsman_service.serving.roles import Role
from pointsman_service.serving.room import Room, Site
from pointsman_service.serving.router import Router
from pointsman_service.serving.servable import Servable
from pointsman_service.serving.shadow_mirror import Mirror
from pointsman_service.serving.standing import Standing

_AT_ONCE = 0.0

log = logging.getLogger(__name__)


class Manager:
    """Reconciles until cancelled; everything but loading happens on the event loop."""

    def __init__(
        self,
        loader: Loader,
        router: Router,
        last_served: LastServed,
        changed: Callable[[], None],
        room: Room,
        timing: Timing,
    ) -> None:
        """Call `changed` whenever there is something new to report."""
        self._loader = loader
        self._router = router
        self._last_served = last_served
        self._changed = changed
        self._room = room
        self._timing = timing
        self._aspired: Aspired | None = None
        self._wake = asyncio.Event()
        self._previous: str | None = None
        self._served: str | None = None
        self._settled = False
        self.loads = Loads(self._wake.set)
        self.residents = Residents(changed)
        self.counters = Counters()
        self._standing = Standing(self.residents, self.counters)
        router.find_by(self.residents.named)
        self.bake = BakeWindow(timing.bake, self.go_back, changed)
        self.mirror = Mirror()
        self.observed_generation = 0
        self.outlook = Outlook()

    @property
    def trouble(self) -> str:
        """What is in the way at present, and may pass; "" if nothing is."""
        return self._standing.trouble

    @property
    def origin(self) -> str:
        """Where the announcement came from: "store", "cache", or "" before the first."""
        return self._aspired.origin if self._aspired else ""

    @property
    def channel(self) -> Channel | None:
        """The channel as announced last."""
        return self._aspired.channel if self._aspired else None

    def role(self, servable: Servable) -> Role | None:
        """Return what a servable is here for at present; None if it only waits."""
        if servable is self._router.stable:
            return Role.STABLE
        if servable is self._router.canary:
            return Role.CANARY
        return Role.SHADOW if servable is self.mirror.servable else None

    @property
    def loading(self) -> Load | None:
        """What is being loaded, if anything is."""
        return self.loads.current

    @property
    def rollback_readiness(self) -> str:
        """How a rollback would find its version: "resident", "on disk", "download" or why not."""
        return self.outlook.readiness

    @property
    def refusal(self) -> Refusal | None:
        """Why the aspired version does not serve, if it was refused."""
        return self._standing.refusals.get(Role.STABLE)

    @property
    def refused_beside(self) -> dict[Role, Refusal]:
        """Why canary and shadow are not what the channel says, by role."""
        refusals = self._standing.refusals
        return {role: refusals[role] for role in roles.BESIDE if role in refusals}

    def aspire(self, aspired: Aspired) -> None:
        """Take note of what should be served; the newest announcement wins."""
        self._aspired = aspired
        self._wake.set()

    async def run(self) -> None:
        """Reconcile whenever something is announced, and again while the store is in the way."""
        if self._aspired is not None:
            self._wake.set()  # started again: what broke may have left something undone
        while True:
            await self._wake.wait()
            self._wake.clear()
            while (seconds := await self._reconcile()) is not None:
                await self._pause(seconds)

    async def close(self) -> None:
        """Wait for nothing any more: neither for loads, nor for versions that still drain."""
        await self.loads.close()
        await self.mirror.close()
        await self.residents.close()

    def go_back(self, reason: str) -> bool:
        """Return at once to the version served before; tell whether it was there to return to.

        The version left behind is refused for this generation, with `reason`.
        """
        bad, channel, before = self._router.stable, self.channel, self._previous
        if bad is None or channel is None or before is None or before not in self.residents.ready:
            return False
        log.error("going back from %s: %s", bad.name, reason)
        pointer = Pointer(version=bad.name, digest=bad.version.digest)
        self._router.switch(self.residents.get(before))
        self._served, self._previous = before, None
        self.counters.returns += 1
        if channel.stable.digest == bad.version.digest:
            self._standing.refusals[Role.STABLE] = refusal.of(channel.generation, pointer, reason)
        self._keep_what_is_needed()
        self._changed()
        return True

    async def _reconcile(self) -> float | None:
        """Take one step towards what is aspired; return when to take the next, if there is one."""
        aspired = self._aspired
        if aspired is None:
            return None
        self._take_finished(aspired.channel)
        if aspired.doubt:
            await self._distrust(aspired)
            return None
        channel = aspired.channel
        self._route_beside(channel)
        if not await self._bring_if_missing(aspired, Role.STABLE):
            return _AT_ONCE
        if self._standing.next(channel, Role.STABLE) is Action.SERVE:
            await self._serve(aspired)
        else:
            await self._last_good(channel)
            await self._foresee(channel)
        for role in roles.BESIDE:
            if not await self._bring_if_missing(aspired, role):
                return _AT_ONCE
        return self._look_over(channel)

    def _look_over(self, channel: Channel) -> float | None:
        """Report what was reached; return when to look again at what is in the way."""
        self._route_beside(channel)
        self._observe(channel)
        self._keep_what_is_needed()
        missing = self._standing.missing(channel)
        if not missing:
            self._standing.trouble = ""
        self._changed()
        if not missing:
            return None
        return self._timing.retry if self.trouble else self._timing.cure

    async def _bring_if_missing(self, aspired: Aspired, role: Role) -> bool:
        """Load a role's version, or note why not; return False if something else is aspired."""
        if self._standing.next(aspired.channel, role) is not Action.LOAD:
            return True
        pointer = roles.wanted(aspired.channel)[role]
        while (load := self.loads.current) is not None and load.pointer.digest != pointer.digest:
            if not await self._ended(load, aspired):
                return False
            self._take_finished(aspired.channel)
        if load is None:
            log.info("loading %s (generation %d)", pointer.version, aspired.channel.generation)
            work = self._loader.load(pointer, self._site(pointer, role))
            load = self.loads.begin(pointer, work)
            self._changed()
        if not await self._ended(load, aspired):
            return False
        self._take_finished(aspired.channel)
        return True

    async def _ended(self, load: Load, aspired: Aspired) -> bool:
        """Wait for a load; return False as soon as anything else is announced."""
        while not load.task.done():
            await self._wake.wait()  # the end of a load wakes, too
            self._wake.clear()
            if self._aspired is not aspired:
                return False
        return True

    def _site(self, pointer: Pointer, role: Role) -> Site:
        held = Held(self.residents, self._router)

        def still_wanted() -> bool:
            return self.channel is not None and bool(roles.role_of(self.channel, pointer.digest))

        return Site(self._room, held, still_wanted, may_drain=role is Role.STABLE)

    def _take_finished(self, channel: Channel) -> None:
        """Put the result of a load to use, whoever asked for it."""
        load = self.loads.finished()
        if load is None:
            return
        role = roles.role_of(channel, load.pointer.digest)
        error = load.task.exception()
        if error is not None:
            self._standing.failed(load.pointer, error, channel.generation, role)
        else:
            self.counters.loads += 1
            self._standing.trouble = ""
            self.residents.add(load.task.result())
            if role is None and self._router.stable is None:  # too late, but there is no other
                self._switch(load.task.result(), channel)
        self._keep_what_is_needed()
        self._changed()

    async def _distrust(self, aspired: Aspired) -> None:
        """Refuse a channel without a look at its version; what served last goes on serving."""
        channel = aspired.channel
        # Curable: the very same generation may come back as it should be.
        self._standing.refuse(
            Role.STABLE, refusal.of(channel.generation, channel.stable, aspired.doubt, curable=True)
        )
        self._keep_what_is_needed()
        self.observed_generation = channel.generation
        await self._last_good(None)
        self._changed()

    async def _serve(self, aspired: Aspired) -> None:
        """Switch if need be, report what is dealt with, then do what takes its time."""
        channel = aspired.channel
        servable = self.residents.get(channel.stable.digest)
        if servable is not self._router.stable:
            self._switch(servable, channel)
        self._standing.refusals.pop(Role.STABLE, None)
        self._route_beside(channel)
        self._observe(channel)
        self._changed()
        self._keep_what_is_needed()
        if not self._settled:
            self._settled = True
            await asyncio.to_thread(memory.settle)
        await asyncio.to_thread(self._last_served.remember, aspired)
        await self._foresee(channel)

    async def _foresee(self, channel: Channel) -> None:
        """Find out how a rollback would find its version here, and report it."""
        self.outlook = await outlook(self._loader, previous(channel), self.residents.ready)
        self._changed()

    @property
    def _serving(self) -> str | None:
        stable = self._router.stable
        return stable.version.digest if stable else None

    def _switch(self, servable: Servable, channel: Channel | None) -> None:
        """Let `servable` answer; `channel` is what asks for that, or what must do with it."""
        replaced = self._router.switch(servable)
        asked_for = channel is not None and channel.stable.digest == servable.version.digest
        what = f"generation {channel.generation}" if channel and asked_for else "for want of better"
        log.info("serving %s (%s)", servable.name, what)
        self.bake.end()
        before, self._served = self._served, servable.version.digest
        if before in {None, self._served}:
            return
        going_back = channel is not None and channel.history[-1].action == ROLLBACK
        self.counters.switches += 1
        self.counters.rollbacks += going_back
        if replaced is None:
            return  # memory was too short for both
        self._previous = replaced.version.digest
        if not going_back:  # that somebody decided to go back is not put in question
            self.bake.begin(servable, replaced)

    def _route_beside(self, channel: Channel) -> None:
        """Let canary and shadow be what the channel says, as far as they are in memory."""
        self._standing.forget_beside(channel)
        canary, shadow = channel.canary, channel.shadow
        self._router.split(self._ready(canary), canary.weight if canary else 0)
        if self._router.canary is not None:
            self._router.canary.looks.closely()
        self.mirror.aim(self._ready(shadow), shadow.percent if shadow else 0)

    def _ready(self, pointer: Pointer | None) -> Servable | None:
        ready = pointer is not None and pointer.digest in self.residents.ready
        return self.residents.get(pointer.digest) if pointer and ready else None

    def _observe(self, channel: Channel) -> None:
        """Report the generation as dealt with, if that is so."""
        if self._standing.dealt_with(channel, self.observed_generation):
            self.observed_generation = channel.generation

    def _keep_what_is_needed(self) -> None:
        needed = {self._previous, self._serving}
        if self.channel is not None:
            needed |= self._standing.needed(self.channel)
        self.residents.keep(needed)
        past = previous(self.channel) if self.channel is not None else None
        self._loader.keep(needed | {past.digest if past else None})

    async def _last_good(self, channel: Channel | None) -> None:
        """If nothing serves at all, serve the last good version instead of `channel`'s."""
        if self._router.stable is not None:
            return
        refused = self.refusal is not None
        servable = await last_good.load(self._loader, self._last_served, channel, refused=refused)
        if servable is not None:
            self.residents.add(servable)
            self._switch(servable, channel)
            self._changed()

    async def _pause(self, seconds: float) -> None:
        """Wait, or be woken by an announcement."""
        with suppress(TimeoutError):
            # Not wait_for: before Python 3.12 it can swallow the cancellation that ends this.
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()
