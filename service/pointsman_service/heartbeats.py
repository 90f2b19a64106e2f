"""Heartbeats: telling the fleet what this instance serves, at once when anything changes.

A service that cannot write them keeps serving, and says so in its health.
"""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pointsman import fleet
from pointsman.channel import Pointer
from pointsman.document import SCHEMA
from pointsman.errors import PointsmanError
from pointsman.heartbeat import (
    ASLEEP,
    HURRIED_SECONDS,
    Bake,
    Heartbeat,
    ServableReport,
    ShadowReport,
)
from pointsman.stores.base import ObjectStore
from pointsman_service import health
from pointsman_service.runtime import memory
from pointsman_service.serving.bake_window import Verdict
from pointsman_service.serving.manager import Manager
from pointsman_service.serving.roles import Role
from pointsman_service.serving.servable import Servable, State
from pointsman_service.serving.shadow_comparison import Comparison

if TYPE_CHECKING:
    from pointsman_service.service import Service

_LEAVE_SECONDS = 3.0
_RETRY_SECONDS = 0.5

log = logging.getLogger(__name__)


class Heartbeats:
    """Writes this instance's heartbeat until cancelled."""

    def __init__(self, service: "Service", store: ObjectStore) -> None:
        self._service = service
        self._store = store
        self._changed = asyncio.Event()
        # Cancelling a task does not stop its thread: without the lock, a heartbeat that is
        # being written could land after the one that leaves.
        self._writing = threading.Lock()
        self._left = False
        self.trouble = ""
        """Why the last heartbeat could not be written; empty while all is well."""

    @property
    def interval(self) -> float:
        """Seconds between two heartbeats at present.

        Fewer than what a heartbeat promises while a canary runs: who counts as live stays the same.
        """
        usual = self._service.settings.heartbeat_seconds
        return usual if self._service.router.canary is None else min(usual, HURRIED_SECONDS)

    def changed(self) -> None:
        """Ask for a heartbeat now."""
        self._changed.set()

    async def run(self) -> None:
        """Write whenever something changed, and otherwise once per interval unless at rest."""
        failures = 0
        while True:
            self._changed.clear()
            failures = 0 if await self._beat() else min(failures + 1, 10)
            with suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it can swallow the cancellation that ends this.
                async with asyncio.timeout(self._pause(failures)):
                    await self._changed.wait()

    def _pause(self, failures: int) -> float | None:
        if failures:
            return min(self.interval, _RETRY_SECONDS * 2.0**failures)
        return None if self._service.activity.asleep else self.interval

    async def leave(self) -> None:
        """Take this instance out of the fleet, if the store lets it, within seconds."""
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await asyncio.to_thread(self._leave)
        except TimeoutError:
            log.warning("the heartbeat stays behind: the store takes too long")
        except PointsmanError as error:
            log.warning("the heartbeat stays behind: %s", error)

    def _leave(self) -> None:
        settings, identity = self._service.settings, self._service.identity
        with self._writing:
            self._left = True
            fleet.leave(self._store, settings.model, settings.channel, identity.instance)

    async def _beat(self) -> bool:
        try:
            await asyncio.to_thread(self._write, describe(self._service))
        except PointsmanError as error:
            if not self.trouble:
                log.warning("heartbeats cannot be written: %s", error)
            self.trouble = str(error)
            return False
        if self.trouble:
            log.info("heartbeats can be written again")
        self.trouble = ""
        return True

    def _write(self, heartbeat: Heartbeat) -> None:
        with self._writing:
            if not self._left:
                fleet.beat(self._store, heartbeat)


def describe(service: "Service") -> Heartbeat:
    """Return what this instance would say of itself now."""
    settings, identity, manager = service.settings, service.identity, service.manager
    stable = service.router.stable
    present = health.judge(service)
    left = service.headroom()
    return Heartbeat(
        schema=SCHEMA,
        instance=identity.instance,
        model=settings.model,
        channel=settings.channel,
        status=ASLEEP if service.activity.asleep and present.ready else present.status,
        degraded=present.degraded,
        observed_generation=manager.observed_generation,
        interval_seconds=settings.heartbeat_seconds,
        poll_seconds=settings.poll_seconds,
        started=_timestamp(datetime.fromtimestamp(service.started, UTC)),
        serving=stable.name if stable else "",
        serving_digest=stable.version.digest if stable else "",
        refused=manager.refusal.reason if manager.refusal else "",
        canary_refused=health.refused_beside(manager),
        unserved=service.router.unserved,
        platform=identity.platform,
        region=identity.region,
        image=identity.image,
        rollback_readiness=manager.outlook.readiness,
        rollback_seconds=manager.outlook.seconds,
        rss_bytes=memory.resident_bytes(),
        memory_available_bytes=left.available if left else None,
        memory_limit_bytes=left.limit if left else None,
        bake=_bake(manager.bake.verdict),
        servables=tuple(_reports(manager)),
    )


def _bake(verdict: Verdict | None) -> Bake | None:
    if verdict is None:
        return None
    until = _timestamp(verdict.until)
    return Bake(version=verdict.version, state=verdict.state, reason=verdict.reason, until=until)


def _reports(manager: Manager) -> Iterator[ServableReport]:
    for servable in manager.residents:
        yield _report(servable, manager)
    if manager.loading is not None:
        yield _absent(manager.loading.pointer, State.LOADING, manager.loading.since)
    refusals = [*([manager.refusal] if manager.refusal else []), *manager.refused_beside.values()]
    for refusal in refusals:
        yield _absent(refusal.pointer, State.FAILED, refusal.since, refusal.reason)


def _report(servable: Servable, manager: Manager) -> ServableReport:
    statistics, looks = servable.statistics, servable.looks
    quantiles = statistics.quantiles()
    role = manager.role(servable)
    return ServableReport(
        version=servable.name,
        digest=servable.version.digest,
        state=servable.state,
        since=_timestamp(servable.since),
        role=role or "",
        requests=statistics.requests,
        errors=statistics.errors,
        rejected=statistics.dropped,
        nonfinite=looks.nonfinite,
        constant=looks.constant,
        p50_seconds=quantiles[0] if quantiles else None,
        p99_seconds=quantiles[1] if quantiles else None,
        shadow=_compared(manager.mirror.comparison) if role is Role.SHADOW else None,
    )


def _compared(comparison: Comparison) -> ShadowReport:
    return ShadowReport(
        requests=comparison.requests,
        dropped=comparison.dropped,
        max_difference=comparison.max_difference,
        top1_agreement=comparison.top1_agreement,
    )


def _absent(pointer: Pointer, state: State, since: datetime, reason: str = "") -> ServableReport:
    """Report a version of which there is no servable: not yet, or never."""
    return ServableReport(
        version=pointer.version,
        digest=pointer.digest,
        state=state,
        since=_timestamp(since),
        reason=reason,
    )


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
