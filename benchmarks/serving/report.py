"""The results as tables, as a plot and as numbers: `benchmarks/results/serving-*`."""

import json
import math
import platform
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.serving import plot, targets
from benchmarks.serving.load import WRK
from benchmarks.serving.measuring import Results
from benchmarks.serving.starting import Starts

RESULTS = Path(__file__).parent.parent / "results"


def write(kind: str, results: Results, starts: Starts) -> None:
    """Print the tables, and write all files."""
    RESULTS.mkdir(exist_ok=True)
    text = "\n".join(_document(kind, results, starts)) + "\n"
    print("\n" + text)
    (RESULTS / f"serving-{kind}.md").write_text(text)
    (RESULTS / f"serving-{kind}.svg").write_text(plot.bars(results))
    numbers = {"results": asdict(results), "starts": asdict(starts)}
    (RESULTS / f"serving-{kind}.json").write_text(json.dumps(numbers, indent=1) + "\n")


def _document(kind: str, results: Results, starts: Starts) -> Iterator[str]:
    yield f"# Serving, measured side by side ({kind})"
    yield ""
    client = "benchmarks/serving/client.py"
    if WRK:
        client += "; for tiny, and at one connection, wrk"
    yield (
        f"One core for every service, another for the client ({client}); one thread for ONNX "
        f"Runtime in all of them; windows take turns, and these are medians. Python "
        f"{platform.python_version()}, {platform.machine()}."
    )
    yield from _targets(results, starts)
    for model in dict.fromkeys(row.model for row in results.rows):
        yield from _model(model, results)
    yield from _footprints(results, starts)
    if results.left_out:
        yield from ("", "## Left out", "")
        yield from (f"- {name}: {reason}" for name, reason in results.left_out.items())


def _targets(results: Results, starts: Starts) -> Iterator[str]:
    yield from ("", "## Targets", "", "| | measured | target | |", "|---|---|---|---|")
    for target in targets.judge(results, starts):
        verdict = "met" if target.met else "missed"
        yield f"| {target.what} | {target.measured:.2f} | {target.wanted} | {verdict} |"


def _model(model: str, results: Results) -> Iterator[str]:
    yield from ("", f"## {model}", "")
    raw = ", ".join(
        f"{rows} at once {results.raw_rate(model, rows):.0f}/s"
        for rows in sorted(results.raw[model])
    )
    yield from (f"ONNX Runtime alone, in a loop: {raw} (rows).", "")
    yield "| | connections | requests/s | p50 ms | p99 ms | CPU ms/request | failures |"
    yield "|---|---|---|---|---|---|---|"
    for row in results.rows:
        if row.model == model:
            yield (
                f"| {row.name} | {row.connections} | {row.per_second:.1f} | {_ms(row.p50_ms)} "
                f"| {_ms(row.p99_ms)} | {row.cpu_ms:.3f} | {row.failures} |"
            )


def _footprints(results: Results, starts: Starts) -> Iterator[str]:
    yield from ("", "## Start, memory, size", "")
    yield (
        f"Process → `/health` 200 with the model in the cache: pointsman {starts.ours:.2f} s, "
        f"plain FastAPI {starts.plain:.2f} s; importing onnxruntime, numpy and uvicorn alone takes "
        f"{starts.imports:.2f} s."
    )
    yield from (
        "",
        "| | first prediction s | memory at rest MB | installed MB |",
        "|---|---|---|---|",
    )
    for name, seconds in results.start_seconds.items():
        size = results.installed_megabytes.get(name, math.nan)
        yield f"| {name} | {seconds:.2f} | {results.rest_megabytes[name]:.0f} | {_size(size)} |"
    yield from ("", "Memory is the proportional set size of all processes, tiny model.")


def _ms(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _size(value: float) -> str:
    return "see Dockerfile" if math.isnan(value) else f"{value:.0f}"
