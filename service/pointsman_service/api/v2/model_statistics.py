"""The statistics extension: what versions have been asked, in the protocol's form; pure."""

from collections.abc import Iterable
from typing import Any

from pointsman_service.serving.servable import Servable
from pointsman_service.statistics import Phase, Statistics

_MILLISECONDS = 1e3
_NANOSECONDS = 1e9


def document(servables: Iterable[Servable]) -> dict[str, Any]:
    """Return the statistics of versions, as `GET /v2/models/stats` answers them.

    What is measured is when a request arrived, was begun to be computed, was computed, and was
    written: `queue` therefore holds the reading of the input too, and `compute_input` nothing.
    """
    return {"model_stats": [_model(servable) for servable in servables]}


def _model(servable: Servable) -> dict[str, Any]:
    statistics = servable.statistics
    return {
        "name": servable.version.manifest.model,
        "version": servable.name,
        "last_inference": int(statistics.last_answered * _MILLISECONDS),
        "inference_count": statistics.rows,
        "execution_count": statistics.runs,
        "inference_stats": _durations(statistics),
        "batch_stats": [],
    }


def _durations(statistics: Statistics) -> dict[str, dict[str, int]]:
    count = statistics.requests
    seconds = {phase: statistics.phases[phase].sum for phase in Phase}
    writing = seconds[Phase.TOTAL] - seconds[Phase.QUEUE] - seconds[Phase.COMPUTE]
    return {
        "success": _duration(count, seconds[Phase.TOTAL]),
        "fail": _duration(statistics.errors + statistics.rejected, 0),
        "queue": _duration(count, seconds[Phase.QUEUE]),
        "compute_input": _duration(count, 0),
        "compute_infer": _duration(count, seconds[Phase.COMPUTE]),
        "compute_output": _duration(count, max(0.0, writing)),
        "cache_hit": _duration(0, 0),
        "cache_miss": _duration(0, 0),
    }


def _duration(count: int, seconds: float) -> dict[str, int]:
    return {"count": count, "ns": int(seconds * _NANOSECONDS)}
