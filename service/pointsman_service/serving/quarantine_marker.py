"""Telling the fleet not to try a version that had to be left, where that is allowed."""

import asyncio
import logging
from datetime import UTC, datetime

from pointsman import quarantine
from pointsman.errors import PointsmanError
from pointsman.quarantine import Mark
from pointsman.stores.base import ObjectStore
from pointsman_service.serving.bake_window import Verdict

log = logging.getLogger(__name__)


class Marker:
    """Writes quarantine marks in the background; used from the event loop only."""

    def __init__(self, store: ObjectStore, model: str, instance: str) -> None:
        self._store = store
        self._model = model
        self._instance = instance
        self._tasks: set[asyncio.Task[None]] = set()

    def mark(self, verdict: Verdict) -> None:
        """Mark the version of a verdict; that it could not be done is logged, and no more."""
        task = asyncio.create_task(self._mark(verdict), name="quarantine")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _mark(self, verdict: Verdict) -> None:
        mark = Mark(
            version=verdict.version,
            digest=verdict.digest,
            by=self._instance,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            why=verdict.reason,
        )
        try:
            new = await asyncio.to_thread(quarantine.put, self._store, self._model, mark)
        except PointsmanError as error:
            log.warning("%s could not be put in quarantine: %s", verdict.version, error)
            return
        if new:
            log.warning("%s is in quarantine: no instance will load it", verdict.version)
