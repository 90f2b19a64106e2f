"""What is aimed at, as ratios within one run, and whether it was reached."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.serving.contestants import BARE, OURS, PLAIN, V2, V2_BINARY
from benchmarks.serving.measuring import Results
from benchmarks.serving.starting import Starts

_TINY_RATIOS = {1: 2.8, 16: 6.0, 64: 7.0}
_TINY_P99_MS = 5.0
_OF_RAW = 0.95
_TAIL = 1.3
_JSON_SHARE = 1 / 3
_OF_BEST_BATCH = 0.9
_OVER_MOSEC = 1.3
_OVER_IMPORTS = 1.2
_MORE_MEGABYTES = 15.0


@dataclass(frozen=True)
class Target:
    """One number, what it shall be, and whether it is."""

    what: str
    measured: float
    wanted: str
    met: bool


def judge(results: Results, starts: Starts) -> Iterator[Target]:
    """Go through all targets for which there are measurements."""
    yield from _tiny(results)
    for model in ("conv", "text"):
        yield from _binary(model, results)
    yield from _json(results)
    yield from _batches(results)
    yield _most(
        "start: times importing onnxruntime, numpy, uvicorn",
        starts.ours / starts.imports,
        _OVER_IMPORTS,
    )
    rest = results.rest_megabytes
    if OURS in rest and PLAIN in rest:
        more = rest[OURS] - rest[PLAIN]
        yield _most("memory at rest: MB more than plain FastAPI", more, _MORE_MEGABYTES)


def _tiny(results: Results) -> Iterator[Target]:
    for name in (OURS, V2):
        for connections, wanted in _TINY_RATIOS.items():
            ours = results.row("tiny", name, connections)
            plain = results.row("tiny", PLAIN, connections)
            if ours and plain:
                what = f"tiny, {name}, {connections} connections: times plain FastAPI"
                yield _least(what, ours.per_second / plain.per_second, wanted)
        at_16 = results.row("tiny", name, 16)
        if at_16:
            yield _most(f"tiny, {name}, 16 connections: p99 ms", at_16.p99_ms, _TINY_P99_MS)
    ours, mosec = results.row("tiny", OURS, 64), results.row("tiny", "mosec", 64)
    if ours and mosec:
        ratio = ours.per_second / mosec.per_second
        yield _least("tiny, 64 connections: times mosec with batching", ratio, _OVER_MOSEC)


def _binary(model: str, results: Results) -> Iterator[Target]:
    row = results.row(model, V2_BINARY, 1)
    if row and model in results.raw:
        what = f"{model}, binary, 1 connection: of ONNX Runtime alone"
        if bare := results.row(model, BARE, 1):
            what += f" (behind a bare socket, in turn with it: {bare.of_raw:.2f})"
        yield _least(what, row.of_raw, _OF_RAW)
        alone = f"ONNX Runtime alone, in turn with it: {results.raw_tail(model):.2f}"
        what = f"{model}, binary, 1 connection: p99 / p50 ({alone})"
        yield _most(what, row.p99_ms / row.p50_ms, _TAIL)


def _json(results: Results) -> Iterator[Target]:
    ours, plain = results.row("conv", OURS, 1), results.row("conv", PLAIN, 1)
    if ours and plain:
        raw = 1000 / results.raw_rate("conv", 1)
        above, plain_above = 1000 / ours.per_second - raw, 1000 / plain.per_second - raw
        what = "conv, JSON, 1 connection: time above ONNX Runtime, of plain FastAPI's"
        yield _most(what, above / plain_above, _JSON_SHARE)


def _batches(results: Results) -> Iterator[Target]:
    best = results.best_raw_rate("text") if "text" in results.raw else 0.0
    for connections in (16, 64):
        row = results.row("text", OURS, connections)
        if row and best:
            what = f"text, {connections} connections: of ONNX Runtime at its best batch"
            yield _least(what, row.per_second / best, _OF_BEST_BATCH)


def _least(what: str, measured: float, wanted: float) -> Target:
    return Target(what, measured, f"≥ {wanted:g}", measured >= wanted)


def _most(what: str, measured: float, wanted: float) -> Target:
    return Target(what, measured, f"≤ {wanted:.2g}", measured <= wanted)
