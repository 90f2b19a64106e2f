"""How a version gets into memory that may be short, as a table."""

import msgspec
import pytest

from pointsman.manifest import File, GoldenSet, Manifest, Measured, OnnxInfo
from pointsman.memory_policy import (
    BASELINE_BYTES,
    MARGIN_BYTES,
    Strategy,
    choose,
    freed_bytes,
    needed_bytes,
)

MB = 1_000_000


def manifest(version: str, peak: int = 0, size: int = 0) -> Manifest:
    """A version that needs `peak` megabytes more than a process without a model."""
    return Manifest(
        schema=1,
        model="m",
        version=version,
        created="",
        entrypoint="model.onnx",
        files=(File(path="model.onnx", size=size * MB, sha256="0" * 64),),
        inputs=(),
        outputs=(),
        onnx=OnnxInfo(ir_version=8, opsets={}),
        measured=Measured(
            runtime="",
            load_seconds=0,
            latency_seconds=0,
            peak_rss_bytes=BASELINE_BYTES + peak * MB,
        ),
    )


SERVING, IDLE = manifest("v1", 150, 100), manifest("v0", 150, 100)


@pytest.mark.parametrize(
    ("free", "need", "strategy"),
    [
        (500, 500, Strategy.SIDE_BY_SIDE),
        (500, 501, Strategy.IDLE_FIRST),
        (500, 600, Strategy.IDLE_FIRST),
        (500, 601, Strategy.DRAIN_FIRST),
        (500, 700, Strategy.DRAIN_FIRST),
        (500, 701, Strategy.REFUSE),
        (0, 0, Strategy.SIDE_BY_SIDE),
        (0, 1, Strategy.IDLE_FIRST),
        (0, 201, Strategy.REFUSE),
    ],
)
def test_a_version_gets_in_by_the_cheapest_way_there_is(
    free: int, need: int, strategy: Strategy
) -> None:
    available = MARGIN_BYTES + free * MB
    assert choose(manifest("v2", need), available, [SERVING], [IDLE]).strategy is strategy


def test_what_is_not_known_stands_in_nobodys_way() -> None:
    choice = choose(manifest("v2", 10**6), None, [SERVING])
    assert choice.strategy is Strategy.SIDE_BY_SIDE
    assert choice.reason == "how much memory is left is not known here"


def test_a_refusal_gives_the_numbers() -> None:
    reason = choose(manifest("v2", 610), MARGIN_BYTES + 480 * MB, [SERVING]).reason
    assert reason == (
        "v2 needs 610 MB, 497 MB are free, and unloading v1 frees 100 MB: 30 MB are missing"
    )


def test_a_refusal_with_nothing_to_unload_speaks_of_nothing_to_unload() -> None:
    assert choose(manifest("v2", 20), MARGIN_BYTES).reason == (
        "v2 needs 20 MB, 17 MB are free: 20 MB are missing"
    )


def test_draining_is_announced_as_what_it_is() -> None:
    reason = choose(manifest("v2", 50), MARGIN_BYTES, [SERVING]).reason
    assert "v1 is unloaded first, and nothing answers until it is loaded" in reason


def test_a_version_needs_its_files_at_least_whatever_was_measured() -> None:
    assert needed_bytes(manifest("v1", peak=1, size=90)) == 90 * MB


def test_a_golden_set_is_not_kept_in_memory() -> None:
    files = (*SERVING.files, File(path="golden.npz", size=7 * MB, sha256="1" * 64))
    golden = GoldenSet(path="golden.npz", rows=1, rtol=0.0, atol=0.0)
    assert freed_bytes([msgspec.structs.replace(SERVING, files=files, golden=golden)]) == 100 * MB
