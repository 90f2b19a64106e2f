"""The loader: makes a servable of a version, and proves it before anyone may ask it.

Fetch what is missing, verify every digest, open the session, compare its signature with the
manifest's, replay the golden set, warm up. It touches what is serving only where memory leaves
no other way, and then as late as possible: when everything is on disk.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from pointsman import golden, keys, quarantine
from pointsman import manifest as manifests
from pointsman.cache import Cache
from pointsman.channel import Pointer
from pointsman.errors import (
    InvalidModel,
    NotFound,
    ObjectNotFound,
    Quarantined,
    StoreError,
)
from pointsman.manifest import Version
from pointsman.registry import Registry
from pointsman.session import Arrays, RunFailed, Session
from pointsman_service.serving import calibration
from pointsman_service.serving.pace import Pace
from pointsman_service.serving.room import Site
from pointsman_service.serving.servable import Servable

_RUNS_AT_LOAD = 20
_MARK_SECONDS = 2.0
_SUPPOSED_BYTES_PER_SECOND = 20e6
"""Until something was fetched: what a small machine gets from a store in its region."""

log = logging.getLogger(__name__)


class Progress(msgspec.Struct):
    """How far loading is, for `/health`."""

    version: str
    step: str = "reading the manifest"
    done_bytes: int = 0
    total_bytes: int = 0

    def advance(self, count: int) -> None:
        """Count bytes that are here and verified."""
        self.done_bytes += count


class Loader:
    """Loads versions of one model from a registry through a cache."""

    def __init__(
        self,
        registry: Registry,
        cache: Cache,
        model: str,
        threads: int,
        check: Callable[[Version], None] = lambda _: None,
        most_rows: int = 1,
    ) -> None:
        """Load only what `check` lets pass: it raises `PointsmanError` for the others.

        At most `most_rows` rows of different requests will be computed together.
        """
        self._most_rows = most_rows
        self._registry = registry
        self._check = check
        self._cache = cache
        self._model = model
        self._threads = threads
        self._bytes_per_second = _SUPPOSED_BYTES_PER_SECOND
        self._opening_seconds: dict[str, float] = {}
        self.progress: Progress | None = None

    async def load(self, pointer: Pointer, site: Site | None = None) -> Servable:
        """Return a warm servable of the version; work happens in a thread.

        Raises `StoreError` when the store must be asked and cannot be, `NoRoom` and
        `Overtaken` from `site`, and any other `PointsmanError` when this version must not serve.
        """
        self.progress = progress = Progress(pointer.version)
        try:
            version = await asyncio.to_thread(self._version, pointer)
            await self._require_no_mark(pointer)
            if site is not None:
                await site.require(version.manifest)
            directory = await asyncio.to_thread(self._fetch, version, progress)
            if site is not None:
                progress.step = "making room"
                await site.clear(version.manifest)
            return Servable(*await asyncio.to_thread(self._open, version, directory, progress))
        finally:
            self.progress = None

    def keep(self, digests: Collection[str | None]) -> None:
        """Need the files of these versions and of no others; None is none."""
        try:
            self._cache.keep({digest for digest in digests if digest})
        except OSError as error:
            log.warning("the cache cannot be told what is in use: %s", error)

    def expect(self, pointer: Pointer) -> tuple[bool, float]:
        """Tell whether the version is on disk, and how many seconds loading it should take.

        Raises `NotFound` when that is impossible, and `StoreError` when the store does not tell.
        """
        version = self._version(pointer)
        measured = version.manifest.measured
        opening = self._opening_seconds.get(
            pointer.digest, measured.load_seconds + _RUNS_AT_LOAD * measured.latency_seconds
        )
        if self._cache.has(version):
            return True, opening
        for file in version.manifest.files:
            try:
                self._registry.store.head(keys.blob(self._model, file.sha256))
            except ObjectNotFound:
                raise NotFound(f"the store has lost {file.path} of {pointer.version}") from None
        return False, version.manifest.size / self._bytes_per_second + opening

    def _version(self, pointer: Pointer) -> Version:
        document = self._cache.manifest(pointer.digest)
        version = (
            self._registry.resolve(self._model, pointer)
            if document is None
            else manifests.read(document, self._model, pointer.version)
        )
        self._check(version)
        return version

    async def _require_no_mark(self, pointer: Pointer) -> None:
        """Raise `Quarantined` if the version is marked; a store that does not tell is not asked on.

        Whoever cannot reach the store has to serve what is on disk, marked or not.
        """
        store = self._registry.store
        try:
            async with asyncio.timeout(_MARK_SECONDS):
                mark = await asyncio.to_thread(quarantine.find, store, self._model, pointer.digest)
        except (StoreError, TimeoutError) as error:
            log.info("whether %s is in quarantine is not known: %s", pointer.version, error)
            return
        if mark is not None:
            # Refusals are told in one sentence: what to type is part of it.
            raise Quarantined(f"{mark} (`pointsman models lift {pointer.version}` lifts that)")

    def _fetch(self, version: Version, progress: Progress) -> Path:
        progress.total_bytes = version.manifest.size
        progress.step = "fetching"
        on_disk = self._cache.has(version)
        started = time.perf_counter()
        directory = self._cache.fetch(self._registry.store, version, progress.advance)
        if not on_disk:
            seconds = time.perf_counter() - started
            self._bytes_per_second = max(version.manifest.size / seconds, 1.0)
        return directory

    def _open(
        self, version: Version, directory: Path, progress: Progress
    ) -> tuple[Version, Session, Arrays, Pace]:
        manifest = version.manifest
        progress.step = "loading"
        started = time.perf_counter()
        session = Session(directory / manifest.entrypoint, self._threads)
        if (session.inputs, session.outputs) != (manifest.inputs, manifest.outputs):
            raise InvalidModel(f"{manifest.version} has another signature than its manifest says")
        progress.step = "warming up"
        sample = _replay(session, version, directory)
        pace = calibration.measure(session, sample, self._most_rows)
        self._opening_seconds[version.digest] = time.perf_counter() - started
        return version, session, sample, pace


def _replay(session: Session, version: Version, directory: Path) -> Arrays:
    """Check the golden set, if there is one; return a small input that the model should compute."""
    described = version.manifest.golden
    if described is None:
        from pointsman.validation.sample import draw  # imports numpy's random numbers

        return draw(session.inputs)
    examples = golden.load(directory / described.path)
    name = version.manifest.version
    try:
        difference = golden.mismatch(examples, session.run(examples.inputs))
    except RunFailed as error:
        raise InvalidModel(f"{name} fails on its golden set: {error}") from error
    if difference:
        raise InvalidModel(f"{name} does not reproduce its golden set here: {difference}")
    single = {key: array[:1] for key, array in examples.inputs.items()}
    try:
        session.run(single)
    except RunFailed:
        return examples.inputs  # it takes no single rows
    return single
