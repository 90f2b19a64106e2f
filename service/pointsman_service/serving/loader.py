"""The loader: makes a servable of a version, and proves it before anyone may ask it.

Fetch what is missing, verify every digest, open the session, compare its signature with the
manifest's, replay the golden set, warm up. It never touches what is serving.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pointsman import golden
from pointsman import manifest as manifests
from pointsman.cache import Cache
from pointsman.channel import Pointer
from pointsman.errors import InvalidModel, PointsmanError
from pointsman.manifest import Version
from pointsman.registry import Registry
from pointsman.session import Arrays, RunFailed, Session
from pointsman.validation.sample import draw
from pointsman_service.serving import calibration
from pointsman_service.serving.pace import Pace
from pointsman_service.serving.servable import Servable


@dataclass(slots=True)
class Progress:
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
        self.progress: Progress | None = None

    async def load(self, pointer: Pointer) -> Servable:
        """Return a warm servable of the version; work happens in a thread.

        Raises `StoreError` when the store must be asked and cannot be, and any other
        `PointsmanError` when this version must not serve.
        """
        self.progress = progress = Progress(pointer.version)
        try:
            loaded = await asyncio.to_thread(self._load, pointer, progress)
            return Servable(*loaded)
        finally:
            self.progress = None

    def on_disk(self, pointer: Pointer) -> bool:
        """Tell whether the version could be loaded without the store."""
        try:
            document = self._cache.manifest(pointer.digest)
            return document is not None and self._cache.has(
                manifests.read(document, self._model, pointer.version)
            )
        except (PointsmanError, OSError):
            return False

    def _load(self, pointer: Pointer, progress: Progress) -> tuple[Version, Session, Arrays, Pace]:
        version = self._version(pointer)
        self._check(version)
        manifest = version.manifest
        progress.total_bytes = manifest.size
        progress.step = "fetching"
        directory = self._cache.fetch(self._registry.store, version, progress.advance)
        progress.step = "loading"
        session = Session(directory / manifest.entrypoint, self._threads)
        if (session.inputs, session.outputs) != (manifest.inputs, manifest.outputs):
            raise InvalidModel(f"{pointer.version} has another signature than its manifest says")
        progress.step = "warming up"
        sample = _replay(session, version, directory)
        pace = calibration.measure(session, sample, self._most_rows)
        return version, session, sample, pace

    def _version(self, pointer: Pointer) -> Version:
        document = self._cache.manifest(pointer.digest)
        if document is not None:
            return manifests.read(document, self._model, pointer.version)
        return self._registry.resolve(self._model, pointer)


def _replay(session: Session, version: Version, directory: Path) -> Arrays:
    """Check the golden set, if there is one; return a small input that the model should compute."""
    described = version.manifest.golden
    if described is None:
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
