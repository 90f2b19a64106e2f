"""The service's parts, wired: the one place that knows all of them, and their life cycle."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pointsman import stores
from pointsman.cache import Cache
from pointsman.registry import Registry
from pointsman.signing.trust import Trust
from pointsman.stores.base import ObjectStore
from pointsman_service import logs
from pointsman_service.answered import Answered, Listener
from pointsman_service.busy_polling import BusyPolling
from pointsman_service.heartbeats import Heartbeats
from pointsman_service.instance import identify
from pointsman_service.keys import Keys
from pointsman_service.runtime import headroom, threads
from pointsman_service.serving.activity import Activity
from pointsman_service.serving.aspired import LastServed
from pointsman_service.serving.bake_window import BakeWindow
from pointsman_service.serving.by_hand import ByHand
from pointsman_service.serving.counters import Timing
from pointsman_service.serving.gate import Gate
from pointsman_service.serving.inference import Inference
from pointsman_service.serving.loader import Loader
from pointsman_service.serving.manager import Manager
from pointsman_service.serving.observation import Observation
from pointsman_service.serving.quarantine_marker import Marker
from pointsman_service.serving.room import Room
from pointsman_service.serving.router import Router
from pointsman_service.serving.source import Source
from pointsman_service.settings import Settings
from pointsman_service.tracing import Tracing

_RESTART_SECONDS = 1.0

log = logging.getLogger(__name__)


class Service:
    """Everything that lives as long as the process does."""

    def __init__(
        self, settings: Settings, open_store: Callable[[str], ObjectStore] = stores.open_store
    ) -> None:
        """Wire the parts; raises `StoreMisconfigured` for a store that cannot work."""
        self.settings = settings
        self.api_keys = Keys(settings.api_keys)
        self.admin_keys = Keys(settings.admin_keys)
        self.identity = identify(os.environ, settings.instance)
        self.started = time.time()
        self.draining = False
        self.listeners: list[Listener] = []
        """Who is told of every answered request."""
        self._tracing = Tracing(settings.model) if settings.traces else None
        if settings.access_log:
            self.listeners.append(logs.access)
        if self._tracing is not None:
            self.listeners.append(self._tracing.answered)
        self.abandoned = 0
        """Requests that the end of the process left without their answer."""
        self._polling = BusyPolling(settings.busy_poll_microseconds * 1e-6)
        self._sticky_header = settings.sticky_header.lower().encode()
        cpus = threads.available()
        self.executor = ThreadPoolExecutor(cpus, thread_name_prefix="inference")
        store = open_store(settings.store)
        cache = Cache(settings.cache, settings.cache_max_bytes)
        model, channel = settings.model, settings.channel
        gate = Gate(Trust(settings.trusted_keys), store, settings.cache, model, channel)
        last_served = LastServed(cache, store.url, model, channel, gate.doubt)
        self.router = Router()
        self.inference = Inference(
            self.router, self.executor, cpus, settings.max_queue, settings.request_timeout
        )
        self.registry = Registry(store)
        self.loader = Loader(
            self.registry,
            cache,
            model,
            settings.threads or cpus,
            gate.check_version,
            settings.max_batch_size,
        )
        self.heartbeats = Heartbeats(self, open_store(settings.fleet) if settings.fleet else store)
        changed = self.heartbeats.changed
        self.headroom = partial(headroom.measure, settings.memory_limit_bytes)
        room = Room(self.headroom, settings.memory)
        self.manager = Manager(
            self.loader,
            self.router,
            last_served,
            changed,
            room,
            Timing(bake=settings.bake_seconds),
        )
        self.by_hand = ByHand(self.registry, self.loader, self.manager, self.router, room)
        if settings.quarantine:
            self.manager.bake.returned = Marker(store, model, self.identity.instance).mark
        observation = Observation(self.router, self.manager.mirror)
        self.inference.watchers.append(observation.answered)
        idle = settings.idle_seconds if settings.polling == "while-active" else None
        self.activity = Activity(self.router, self.manager.residents, changed, idle)
        poll, aspire = settings.poll_seconds, self.manager.aspire
        self.source = Source(store, last_served, model, channel, poll, aspire, changed, gate.doubt)
        self.source.rest = self.activity.rest
        self._tasks: list[asyncio.Task[None]] = []

    def sticky_key(self, headers: Mapping[bytes, bytes]) -> bytes | None:
        """Return what keeps a caller with one version while two share the traffic."""
        return headers.get(self._sticky_header) if self._sticky_header else None

    def tell(self, answered: Answered) -> None:
        """Tell the listeners of an answer; one that breaks harms nobody else."""
        for listen in self.listeners:
            try:
                listen(answered)
            except Exception:
                log.exception("an answer was given, and a listener broke")

    def stay_awake(self, loop: asyncio.AbstractEventLoop, took: float) -> None:
        """Look for the next request before the loop sleeps, if all others are answered.

        `took` is how many seconds the model had for the last one.
        """
        if self.inference.is_idle:
            self._polling.answered(loop, took)

    async def start(self) -> None:
        """Begin to follow the channel, in the background: the port opens before a model is here."""
        self._tasks = [
            asyncio.create_task(_kept_running(part), name=type(part).__name__)
            for part in (self.source, self.manager, self.manager.bake, self.heartbeats)
        ]

    def drain(self) -> None:
        """Say no to readiness; requests that still arrive are answered."""
        log.info("draining")
        self.draining = True
        self.heartbeats.changed()

    async def stop(self) -> None:
        """End all background work, and take the heartbeat out of the fleet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.abandoned += self.inference.close()
        await self.manager.close()
        await self.heartbeats.leave()
        self.executor.shutdown(wait=False, cancel_futures=True)
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)


async def _kept_running(part: Source | Manager | BakeWindow | Heartbeats) -> None:
    """Run a part; should it break, say so and start it again: what serves goes on serving."""
    while True:
        try:
            await part.run()
        except Exception:
            log.exception("%s broke; starting it again", type(part).__name__)
            await asyncio.sleep(_RESTART_SECONDS)
