"""The manager: brings what is served in line with what is aspired, one step at a time.

Prepare fully, switch in one assignment, then clean up: a failure before the switch changes
nothing for clients. The version served before stays resident, so that going back is immediate.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from pointsman.channel import ROLLBACK, Channel, Pointer, previous
from pointsman.errors import CacheUnusable, NotFound, PointsmanError, StoreError
from pointsman_service.runtime import memory
from pointsman_service.serving import policy
from pointsman_service.serving.aspired import Aspired, LastServed
from pointsman_service.serving.loader import Loader
from pointsman_service.serving.residents import Residents
from pointsman_service.serving.router import Router
from pointsman_service.serving.servable import Servable

_AT_ONCE = 0.0
_RETRY_SECONDS = 2.0
_CURE_SECONDS = 30.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counters:
    """What the manager has done since the start."""

    loads: int = 0
    failed_loads: int = 0
    switches: int = 0
    rollbacks: int = 0


@dataclass(frozen=True, slots=True)
class Loading:
    """A version that is being loaded, and since when."""

    pointer: Pointer
    since: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """A version that must not serve here, for which generation, and why.

    `curable` means that the fault may lie around the version and not in it: a full disk, a file
    that is missing from the store. Such a version is tried again, though rarely.
    """

    generation: int
    pointer: Pointer
    reason: str
    since: datetime
    curable: bool


class Manager:
    """Reconciles until cancelled; everything but loading happens on the event loop."""

    def __init__(
        self,
        loader: Loader,
        router: Router,
        last_served: LastServed,
        changed: Callable[[], None],
        retry_seconds: float = _RETRY_SECONDS,
        cure_seconds: float = _CURE_SECONDS,
    ) -> None:
        """Call `changed` whenever there is something new to report."""
        self._loader = loader
        self._router = router
        self._last_served = last_served
        self._changed = changed
        self._retry_seconds = retry_seconds
        self._cure_seconds = cure_seconds
        self._aspired: Aspired | None = None
        self._wake = asyncio.Event()
        self._previous: str | None = None
        self._settled = False
        self.residents = Residents(changed)
        self.counters = Counters()
        self.observed_generation = 0
        self.loading: Loading | None = None
        self.refusal: Refusal | None = None
        self.trouble = ""
        self.rollback_readiness = ""

    @property
    def origin(self) -> str:
        """Where the announcement came from: "store", "cache", or "" before the first."""
        return self._aspired.origin if self._aspired else ""

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

    async def _reconcile(self) -> float | None:
        """Take one step towards what is aspired; return when to take the next, if there is one."""
        aspired = self._aspired
        if aspired is None:
            return None
        if aspired.doubt:
            await self._distrust(aspired)
            return None
        action = self._next(aspired.channel)
        if action is policy.Action.LOAD:
            await self._load(aspired.channel)
            if self._aspired is not aspired:
                self._overtaken(aspired.channel)
                return _AT_ONCE
            action = self._next(aspired.channel)
        if action is policy.Action.SERVE:
            await self._serve(aspired)
            return None
        await self._last_good(aspired.channel)
        if action is policy.Action.STAY:
            return None
        return self._retry_seconds if self.trouble else self._cure_seconds

    def _next(self, channel: Channel) -> policy.Action:
        refusal = self.refusal
        refused = (
            refusal is not None
            and not refusal.curable
            and (refusal.generation, refusal.pointer) == (channel.generation, channel.stable)
        )
        return policy.decide(channel.stable.digest, self.residents.ready, refused=refused)

    @property
    def _serving(self) -> str | None:
        stable = self._router.stable
        return stable.version.digest if stable else None

    async def _load(self, channel: Channel) -> None:
        """Make the version resident, or note why not."""
        version = channel.stable.version
        log.info("loading %s (generation %d)", version, channel.generation)
        self.loading = Loading(channel.stable, datetime.now(UTC))
        self._changed()
        try:
            servable = await self._loader.load(channel.stable)
        except StoreError as error:
            self._postpone(f"{version} cannot be fetched: {error}")
        except (NotFound, CacheUnusable, OSError) as error:
            self._refuse(channel, str(error), curable=True)
        except PointsmanError as error:
            self._refuse(channel, str(error))
        except Exception as error:  # a version must never take the process down
            log.exception("loading %s failed", version)
            self._refuse(channel, f"{type(error).__name__}: {error}")
        else:
            self.residents.add(servable)
            self.counters.loads += 1
        finally:
            self.loading = None
            self._changed()

    def _postpone(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.warning("%s", trouble)
        self.trouble = trouble

    def _refuse(self, channel: Channel, reason: str, *, curable: bool = False) -> None:
        log.error("%s refused: %s", channel.stable.version, reason)
        self.counters.failed_loads += 1
        self.trouble = ""
        self.refusal = Refusal(
            channel.generation, channel.stable, reason, datetime.now(UTC), curable
        )
        self.observed_generation = channel.generation
        self._keep_what_is_needed()

    async def _distrust(self, aspired: Aspired) -> None:
        """Refuse a channel without a look at its version; what served last goes on serving."""
        # Curable: the very same generation may come back as it should be.
        self._refuse(aspired.channel, aspired.doubt, curable=True)
        await self._last_good(None)
        self._changed()

    def _overtaken(self, channel: Channel) -> None:
        """Put a version that came too late to use only if there is no other at all."""
        if self._router.stable is None and channel.stable.digest in self.residents.ready:
            self._switch(self.residents.get(channel.stable.digest), channel)
        self._keep_what_is_needed()

    async def _serve(self, aspired: Aspired) -> None:
        """Switch if need be, report the generation as dealt with, then do what takes its time."""
        channel = aspired.channel
        if channel.stable.digest != self._serving:
            self._switch(self.residents.get(channel.stable.digest), channel)
        self.observed_generation = channel.generation
        self.refusal = None
        self.trouble = ""
        self._changed()
        self._keep_what_is_needed()
        if not self._settled:
            self._settled = True
            await asyncio.to_thread(memory.settle)
        await asyncio.to_thread(self._last_served.remember, aspired)
        self.rollback_readiness = await self._readiness(previous(channel))
        self._changed()

    def _switch(self, servable: Servable, channel: Channel) -> None:
        replaced = self._router.switch(servable)
        log.info("serving %s (generation %d)", servable.name, channel.generation)
        if replaced is not None:
            self._previous = replaced.version.digest
            self.counters.switches += 1
            self.counters.rollbacks += channel.history[-1].action == ROLLBACK

    def _keep_what_is_needed(self) -> None:
        aspired = self._aspired.channel.stable.digest if self._aspired else None
        self.residents.keep({aspired, self._serving, self._previous})

    async def _readiness(self, target: Pointer | None) -> str:
        """Say how a rollback would find its version."""
        if target is None:
            return ""
        if target.digest in self.residents.ready:
            return "resident"
        on_disk = await asyncio.to_thread(self._loader.on_disk, target)
        return "on disk" if on_disk else "download"

    async def _last_good(self, channel: Channel | None) -> None:
        """If nothing serves at all, serve what this machine served last, if not `channel`'s."""
        if self._router.stable is not None:
            return
        aspired = await asyncio.to_thread(self._last_served.recall)
        if aspired is None or (channel and aspired.channel.stable == channel.stable):
            return
        try:
            servable = await self._loader.load(aspired.channel.stable)
        except PointsmanError as error:
            log.warning("what was served last cannot be served either: %s", error)
        except Exception:
            log.exception("what was served last cannot be served either")
        else:
            self.residents.add(servable)
            self._switch(servable, aspired.channel)
            self._changed()

    async def _pause(self, seconds: float) -> None:
        """Wait, or be woken by an announcement."""
        with suppress(TimeoutError):
            # Not wait_for: before Python 3.12 it can swallow the cancellation that ends this.
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()
