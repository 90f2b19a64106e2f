"""The manager: brings what is served in line with what is aspired, one step at a time.

Prepare fully, switch in one assignment, then clean up: a failure before the switch changes
nothing for clients. The version served before stays resident, so that going back is immediate.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pointsman.cache import Cache
from pointsman.channel import ROLLBACK, Channel, Pointer, previous, read
from pointsman.errors import PointsmanError, StoreError
from pointsman_service.runtime import memory
from pointsman_service.serving import policy
from pointsman_service.serving.loader import Loader
from pointsman_service.serving.router import Router
from pointsman_service.serving.servable import Servable
from pointsman_service.serving.source import Aspired

_RETRY_SECONDS = 2.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counters:
    """What the manager has done since the start."""

    loads: int = 0
    failed_loads: int = 0
    switches: int = 0
    rollbacks: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A version that must not serve here, for which generation, and why.

    `doubted` means that the channel was not believed, and says nothing of the version.
    """

    generation: int
    pointer: Pointer
    reason: str
    since: datetime
    doubted: bool = False


class Manager:
    """Reconciles until cancelled; everything but loading happens on the event loop."""

    def __init__(
        self,
        loader: Loader,
        router: Router,
        cache: Cache,
        model: str,
        channel: str,
        changed: Callable[[], None],
    ) -> None:
        self._loader = loader
        self._router = router
        self._cache = cache
        self._names = (model, channel)
        self._changed = changed
        self._aspired: Aspired | None = None
        self._wake = asyncio.Event()
        self._unloading: set[asyncio.Task[None]] = set()
        self._previous: str | None = None
        self.residents: dict[str, Servable] = {}
        self.counters = Counters()
        self.observed_generation = 0
        self.refusal: Refusal | None = None
        self.trouble = ""
        self.rollback_readiness = ""

    @property
    def aspired(self) -> Channel | None:
        """The channel as last announced."""
        return self._aspired.channel if self._aspired else None

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
        while True:
            await self._wake.wait()
            self._wake.clear()
            while not await self._reconcile():
                await self._pause()

    async def _reconcile(self) -> bool:
        """Take one step towards what is aspired; False when it must be tried again."""
        aspired = self._aspired
        if aspired is None:
            return True
        channel = aspired.channel
        if aspired.doubt:
            await self._distrust(aspired)
            return True
        stable = self._router.stable
        serving = stable.version.digest if stable else None
        refusal = self.refusal
        refused = refusal is not None and (refusal.generation, refusal.doubted) == (
            channel.generation,
            False,
        )
        action = policy.decide(channel.stable.digest, serving, self.residents, refused)
        if action is policy.Action.LOAD and not await self._load(channel):
            await self._last_good()
            return not self.trouble
        if self._aspired is not aspired:
            return True  # overtaken while loading: what is newer decides
        if action is not policy.Action.NOTHING:
            self._switch(self.residents[channel.stable.digest], channel)
        await self._settle(aspired)
        return True

    async def _load(self, channel: Channel) -> bool:
        """Make the version resident, or note why not."""
        version = channel.stable.version
        log.info("loading %s (generation %d)", version, channel.generation)
        self._changed()
        try:
            servable = await self._loader.load(channel.stable)
        except StoreError as error:
            self.trouble = f"{version} cannot be fetched: {error}"
            log.warning(self.trouble)
        except PointsmanError as error:
            self._refuse(channel, str(error))
        except Exception as error:  # a version must never take the process down
            log.exception("loading %s failed", version)
            self._refuse(channel, f"{type(error).__name__}: {error}")
        else:
            self.residents[servable.version.digest] = servable
            self.counters.loads += 1
            return True
        self._changed()
        return False

    async def _distrust(self, aspired: Aspired) -> None:
        """Refuse a channel without a look at its version; what served last goes on serving."""
        self._refuse(aspired.channel, aspired.doubt)
        await self._last_good()
        self._changed()

    def _refuse(self, channel: Channel, reason: str) -> None:
        log.error("%s refused: %s", channel.stable.version, reason)
        self.counters.failed_loads += 1
        self.trouble = ""
        doubted = self._aspired is not None and bool(self._aspired.doubt)
        self.refusal = Refusal(
            channel.generation, channel.stable, reason, datetime.now(UTC), doubted
        )
        self.observed_generation = channel.generation

    def _switch(self, servable: Servable, channel: Channel) -> None:
        replaced = self._router.switch(servable)
        self.counters.switches += replaced is not None
        self.counters.rollbacks += channel.history[-1].action == ROLLBACK
        log.info("serving %s (generation %d)", servable.name, channel.generation)
        self._previous = replaced.version.digest if replaced else None

    async def _settle(self, aspired: Aspired) -> None:
        """Report the generation as dealt with, then do what may take its time."""
        channel = aspired.channel
        self.trouble = ""
        self.observed_generation = channel.generation
        serving = self._router.stable
        if serving is not None and serving.version.digest == channel.stable.digest:
            self.refusal = None
            self._changed()
            self._unload_surplus(serving)
            await asyncio.to_thread(self._remember, aspired)
        self.rollback_readiness = await asyncio.to_thread(self._readiness, channel)
        self._changed()

    def _remember(self, aspired: Aspired) -> None:
        memory.settle()
        try:
            self._cache.remember(*self._names, aspired.document)
        except OSError as error:
            log.warning("the cache cannot be written: %s", error)

    def _readiness(self, channel: Channel) -> str:
        """Say how a rollback would find its version."""
        target = previous(channel)
        if target is None:
            return ""
        if target.digest in self.residents:
            return "resident"
        return "on disk" if self._loader.on_disk(target) else "download"

    async def _last_good(self) -> None:
        """If nothing serves at all, serve what this machine served last."""
        if self._router.stable is not None:
            return
        document = await asyncio.to_thread(self._cache.remembered, *self._names)
        if document is None:
            return
        try:
            servable = await self._loader.load(read(document, self._names[1]).stable)
        except PointsmanError as error:
            log.warning("what was served last cannot be served either: %s", error)
            return
        log.warning("serving %s, which was served last", servable.name)
        self.residents[servable.version.digest] = servable
        self._router.switch(servable)
        self._changed()

    def _unload_surplus(self, serving: Servable) -> None:
        for digest in policy.surplus(self.residents, serving.version.digest, self._previous):
            task = asyncio.create_task(self._unload(self.residents.pop(digest)))
            self._unloading.add(task)
            task.add_done_callback(self._unloading.discard)

    async def _unload(self, servable: Servable) -> None:
        await servable.drain()
        servable.unload()
        await asyncio.to_thread(memory.trim)
        log.info("unloaded %s", servable.name)
        self._changed()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), _RETRY_SECONDS)
        except TimeoutError:
            return
        self._wake.clear()
