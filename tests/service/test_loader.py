"""Making a servable of a version, and refusing what must not serve."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from pointsman import golden, quarantine
from pointsman.cache import Cache
from pointsman.channel import Pointer
from pointsman.errors import (
    CacheUnusable,
    ContentMismatch,
    InvalidDocument,
    InvalidModel,
    NotFound,
    Quarantined,
    StoreUnreachable,
)
from pointsman.manifest import TensorSpec
from pointsman.quarantine import Mark
from pointsman.registry import Registry
from pointsman_service.serving.loader import Loader
from pointsman_service.serving.servable import Servable, State
from tests import models
from tests.fakes.memory_store import MemoryStore
from tests.service.models_failing import never_computes
from tests.service.obedient_store import ObedientStore
from tests.service.patience import until
from tests.service.shelf import Shelf

pytestmark = pytest.mark.anyio


class Loading:
    """A loader over a store that obeys, with an empty cache."""

    def __init__(self, directory: Path) -> None:
        self.store = ObedientStore(MemoryStore())
        self.shelf = Shelf(self.store, directory / "models")
        self.loader = Loader(Registry(self.store), Cache(directory / "cache"), "m", threads=1)
        self.load = self.loader.load


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    """A loader."""
    return Loading(tmp_path)


def answer(servable: Servable, *rows: float) -> list[float]:
    """Ask for rows of four equal numbers; return the first output of each."""
    feed = {"x": np.array([[row] * 4 for row in rows], np.float32)}
    with servable.claim():
        return [float(row[0]) for row in servable.run(feed)["y"]]


async def test_a_loaded_version_is_ready_and_computes(loading: Loading) -> None:
    pointer = loading.shelf.affine("v1", 3.0, golden_factor=3.0)
    servable = await loading.load(pointer)
    assert (servable.name, servable.version.digest) == ("v1", pointer.digest)
    assert servable.state is State.READY
    assert answer(servable, 1.0, 5.0) == [3.0, 15.0]


async def test_what_is_cached_loads_without_the_store(loading: Loading) -> None:
    pointer = loading.shelf.affine("v1", 3.0)
    await loading.load(pointer)
    loading.store.reachable = False
    loading.store.calls.clear()
    assert answer(await loading.load(pointer), 1.0) == [3.0]
    assert loading.store.calls == ["get"], "only whether it is in quarantine"


async def test_an_unreachable_store_is_not_the_versions_fault(loading: Loading) -> None:
    pointer = loading.shelf.affine("v1", 3.0)
    loading.store.reachable = False
    with pytest.raises(StoreUnreachable):
        await loading.load(pointer)


async def test_a_manifest_that_is_not_the_one_the_channel_names_is_refused(
    loading: Loading,
) -> None:
    loading.shelf.affine("v1", 3.0)
    with pytest.raises(ContentMismatch, match="not the one its channel names"):
        await loading.load(Pointer(version="v1", digest="sha256:" + "0" * 64))


async def test_a_digest_that_is_none_is_refused(loading: Loading) -> None:
    with pytest.raises(InvalidDocument, match="not a digest"):
        await loading.load(Pointer(version="v1", digest="../../etc/passwd"))


async def test_a_damaged_blob_is_refused(loading: Loading, tmp_path: Path) -> None:
    pointer = loading.shelf.affine("v1", 3.0)
    loading.shelf.damage(tmp_path / "models" / "v1" / "model.onnx")
    with pytest.raises(ContentMismatch, match="damaged"):
        await loading.load(pointer)


async def test_a_missing_blob_is_named(loading: Loading) -> None:
    pointer = loading.shelf.affine("v1", 3.0)
    for info in list(loading.store.scan("models/m/blobs/")):
        loading.store.delete(info.key)
    with pytest.raises(NotFound, match=r"has lost model\.onnx"):
        await loading.load(pointer)


async def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    shelf = Shelf(MemoryStore(), tmp_path / "models")
    loader = Loader(Registry(shelf.store), Cache(file), "m", threads=1)
    with pytest.raises(CacheUnusable):
        await loader.load(shelf.affine("v1", 3.0))


async def test_a_model_with_another_signature_than_its_manifest_is_refused(
    loading: Loading, tmp_path: Path
) -> None:
    claimed = TensorSpec(name="x", datatype="FP32", shape=(-1, 5))
    model = models.affine(tmp_path / "model.onnx")
    pointer = loading.shelf.put("v1", model, inputs=(claimed,))
    with pytest.raises(InvalidModel, match="another signature"):
        await loading.load(pointer)


async def test_a_model_that_does_not_reproduce_its_golden_set_is_refused(loading: Loading) -> None:
    pointer = loading.shelf.affine("v1", 3.0, golden_factor=4.0)
    with pytest.raises(InvalidModel, match=r"v1 does not reproduce its golden set here: .*differs"):
        await loading.load(pointer)


async def test_a_golden_set_for_other_inputs_is_refused(loading: Loading, tmp_path: Path) -> None:
    examples = tmp_path / "golden.npz"
    golden.save(examples, {"z": np.ones((1, 4), np.float32)}, {"y": np.ones((1, 4), np.float32)})
    pointer = loading.shelf.put("v1", models.affine(tmp_path / "model.onnx"), examples)
    with pytest.raises(InvalidModel, match="fails on its golden set"):
        await loading.load(pointer)


@pytest.mark.parametrize("build", [models.never_loads, models.truncated])
async def test_a_model_that_the_runtime_does_not_load_is_refused(
    loading: Loading, tmp_path: Path, build: type[object]
) -> None:
    path = tmp_path / "model.onnx"
    build(path)  # type: ignore[call-arg]
    with pytest.raises(InvalidModel, match="does not load"):
        await loading.load(loading.shelf.put("v1", path))


async def test_a_model_that_fails_on_a_sample_is_refused(loading: Loading, tmp_path: Path) -> None:
    pointer = loading.shelf.put("v1", never_computes(tmp_path / "model.onnx"))
    with pytest.raises(InvalidModel, match="fails on a sample input"):
        await loading.load(pointer)


async def test_a_model_that_takes_no_single_rows_is_tried_on_its_whole_golden_set(
    loading: Loading, tmp_path: Path
) -> None:
    model = models.echo(tmp_path / "model.onnx", "FP32", (2, 2))
    pairs = np.ones((2, 2), np.float32)
    examples = tmp_path / "golden.npz"
    golden.save(examples, {"x": pairs}, {"y": pairs})
    servable = await loading.load(loading.shelf.put("v1", model, examples))
    assert servable.state is State.READY


async def test_progress_tells_the_step_and_the_bytes_and_ends_with_the_loading(
    loading: Loading,
) -> None:
    pointer = loading.shelf.affine("v1", 3.0)
    with loading.store.holding("get_range") as hold:
        task = asyncio.create_task(loading.load(pointer))
        await until(hold.reached.is_set)
        progress = loading.loader.progress
        assert progress is not None
        assert (progress.version, progress.step, progress.done_bytes) == ("v1", "fetching", 0)
        assert progress.total_bytes > 0
    await task
    assert loading.loader.progress is None
    assert progress.done_bytes == progress.total_bytes


async def test_progress_ends_when_loading_fails(loading: Loading) -> None:
    loading.store.reachable = False
    with pytest.raises(StoreUnreachable):
        await loading.load(Pointer(version="v1", digest="sha256:" + "0" * 64))
    assert loading.loader.progress is None


async def test_what_is_on_disk_is_expected_sooner_than_what_has_to_be_fetched(
    loading: Loading,
) -> None:
    pointer = loading.shelf.affine("v1", 3.0)
    on_disk, seconds = loading.loader.expect(pointer)
    assert not on_disk
    assert seconds > 0
    await loading.load(pointer)
    loading.store.reachable = False
    on_disk, opening = loading.loader.expect(pointer)
    assert on_disk
    assert 0 < opening < seconds + 60


async def test_what_the_store_has_lost_cannot_be_expected(loading: Loading) -> None:
    pointer = loading.shelf.affine("v1", 3.0)
    (blob,) = [info.key for info in loading.store.scan("models/m/blobs/")]
    loading.store.delete(blob)
    with pytest.raises(NotFound, match=r"has lost model\.onnx of v1"):
        loading.loader.expect(pointer)
    with pytest.raises(NotFound, match="no version v9"):
        loading.loader.expect(Pointer(version="v9", digest=pointer.digest))


def mark(pointer: Pointer) -> Mark:
    return Mark(
        version=pointer.version, digest=pointer.digest, by="i-1", at="2026-01-01", why="NaN"
    )


async def test_a_version_in_quarantine_is_not_even_fetched(loading: Loading) -> None:
    pointer = loading.shelf.affine("v1", 3.0)
    quarantine.put(loading.store, "m", mark(pointer))
    loading.store.calls.clear()
    with pytest.raises(
        Quarantined, match=r"on 2026-01-01: NaN \(`pointsman models lift v1` lifts that\)"
    ):
        await loading.load(pointer)
    assert "get_range" not in loading.store.calls
    quarantine.lift(loading.store, "m", "v1", pointer.digest)
    await loading.load(pointer)


async def test_what_is_on_disk_is_loaded_when_the_store_does_not_tell_of_marks(
    loading: Loading,
) -> None:
    pointer = loading.shelf.affine("v1", 3.0)
    await loading.load(pointer)
    quarantine.put(loading.store, "m", mark(pointer))
    loading.store.reachable = False
    assert (await loading.load(pointer)).name == "v1"
