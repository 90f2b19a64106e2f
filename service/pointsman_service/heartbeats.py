"""Heartbeats: telling the fleet what this instance serves, at once when anything changes.

A service that cannot write them keeps serving, and says so in its health.
"""

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pointsman import fleet
from pointsman.document import SCHEMA
from pointsman.errors import PointsmanError
from pointsman.heartbeat import Heartbeat, ServableReport
from pointsman.stores.base import ObjectStore
from pointsman_service import health
from pointsman_service.runtime import memory
from pointsman_service.serving.servable import Servable, State

if TYPE_CHECKING:
    from pointsman_service.service import Service

_LEAVE_SECONDS = 3.0

log = logging.getLogger(__name__)


class Heartbeats:
    """Writes this instance's heartbeat until cancelled."""

    def __init__(self, service: "Service", store: ObjectStore) -> None:
        self._service = service
        self._store = store
        self._changed = asyncio.Event()
        self.trouble = ""
        """Why the last heartbeat could not be written; empty while all is well."""

    def changed(self) -> None:
        """Ask for a heartbeat now."""
        self._changed.set()

    async def run(self) -> None:
        """Write whenever something changed, and otherwise once per interval."""
        while True:
            self._changed.clear()
            await self._beat()
            try:
                interval = self._service.settings.heartbeat_seconds
                await asyncio.wait_for(self._changed.wait(), interval)
            except TimeoutError:
                continue

    async def leave(self) -> None:
        """Take this instance out of the fleet, if the store lets it, within seconds."""
        settings, identity = self._service.settings, self._service.identity
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await asyncio.to_thread(
                    fleet.leave, self._store, settings.model, settings.channel, identity.instance
                )
        except (PointsmanError, TimeoutError) as error:
            log.warning("the heartbeat stays behind: %s", error)

    async def _beat(self) -> None:
        try:
            await asyncio.to_thread(fleet.beat, self._store, describe(self._service))
        except PointsmanError as error:
            if not self.trouble:
                log.warning("heartbeats cannot be written: %s", error)
            self.trouble = str(error)
        else:
            self.trouble = ""


def describe(service: "Service") -> Heartbeat:
    """Return what this instance would say of itself now."""
    settings, identity, manager = service.settings, service.identity, service.manager
    stable = service.router.stable
    present = health.judge(service)
    return Heartbeat(
        schema=SCHEMA,
        instance=identity.instance,
        model=settings.model,
        channel=settings.channel,
        status=present.status,
        degraded=present.degraded,
        observed_generation=manager.observed_generation,
        interval_seconds=settings.heartbeat_seconds,
        started=_timestamp(datetime.fromtimestamp(service.started, UTC)),
        serving=stable.name if stable else "",
        serving_digest=stable.version.digest if stable else "",
        refused=manager.refusal.reason if manager.refusal else "",
        platform=identity.platform,
        region=identity.region,
        image=identity.image,
        rollback_readiness=manager.rollback_readiness,
        rss_bytes=memory.resident_bytes(),
        servables=tuple(_reports(service)),
    )


def _reports(service: "Service") -> list[ServableReport]:
    manager = service.manager
    reports = [_report(servable) for servable in manager.residents.values()]
    if manager.refusal is not None:
        pointer = manager.refusal.pointer
        reports.append(
            ServableReport(
                version=pointer.version,
                digest=pointer.digest,
                state=State.FAILED,
                since=_timestamp(manager.refusal.since),
                reason=manager.refusal.reason,
            )
        )
    return reports


def _report(servable: Servable) -> ServableReport:
    statistics = servable.statistics
    quantiles = statistics.quantiles()
    return ServableReport(
        version=servable.name,
        digest=servable.version.digest,
        state=servable.state,
        since=_timestamp(servable.since),
        requests=statistics.requests,
        errors=statistics.errors,
        p50_seconds=quantiles[0] if quantiles else None,
        p99_seconds=quantiles[1] if quantiles else None,
    )


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
