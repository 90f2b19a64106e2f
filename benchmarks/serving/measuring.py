"""Measuring side by side: windows take turns, so that a noisy machine disturbs all alike.

A contestant that cannot be installed or started, or that answers wrongly, is left out with its
reason; the others go on.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from benchmarks.serving import contestants, environments, load, processes, raw_runtime
from benchmarks.serving.contestants import Contestant
from benchmarks.serving.environments import Unavailable
from benchmarks.serving.load import Window
from benchmarks.serving.models import Model
from benchmarks.serving.processes import Running
from benchmarks.serving.requests import Request, is_right

_ROWS = (8, 16, 32)
_RAW_SECONDS = 1.5
MEGA = 1 << 20


@dataclass(frozen=True)
class Plan:
    """How long and how often to measure."""

    connections: Sequence[int]
    windows: int
    seconds: float


@dataclass
class Row:
    """Medians of one contestant's windows on one model at some connections."""

    model: str
    name: str
    connections: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    """The server's processor time for a request."""
    failures: int
    of_raw: float = math.nan
    """Its rate, of that of the runtime alone right before and after; at one connection only."""


@dataclass
class Results:
    """All that was measured, and who was left out why."""

    rows: list[Row] = field(default_factory=list)
    raw: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    """Rows per second of the runtime alone, by model and rows of a run, as often as measured."""
    raw_tails: dict[str, list[float]] = field(default_factory=dict)
    """The 99th percentile over the median of its runs of one row, by model."""
    rest_megabytes: dict[str, float] = field(default_factory=dict)
    start_seconds: dict[str, float] = field(default_factory=dict)
    installed_megabytes: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def raw_rate(self, model: str, rows: int) -> float:
        """Return the runtime's own rows per second, for runs of so many rows."""
        return statistics.median(self.raw[model][rows])

    def raw_tail(self, model: str) -> float:
        """Return the runtime's own 99th percentile over its median, for runs of one row."""
        return statistics.median(self.raw_tails[model])

    def best_raw_rate(self, model: str) -> float:
        """Return the runtime's own rows per second, at the best of all sizes."""
        return max(self.raw_rate(model, rows) for rows in self.raw[model])

    def row(self, model: str, name: str, connections: int) -> Row | None:
        """Return what was measured, if it was."""
        for each in self.rows:
            if (each.model, each.name, each.connections) == (model, name, connections):
                return each
        return None


@dataclass(frozen=True)
class _Asked:
    name: str
    one_client: bool
    running: Running
    request: Request


@dataclass(frozen=True)
class _Measured:
    window: Window
    cpu_seconds: float
    of_raw: float


def measure(model: Model, rivals: Iterable[Contestant], plan: Plan, results: Results) -> None:
    """Add one model's measurements to `results`."""
    print(f"{model.name}", flush=True)
    contestants.publish(model, model.path.parent)
    expected = _expected(model)
    with ExitStack() as stack:
        asked: list[_Asked] = []
        for contestant in rivals:
            try:
                asked += _started(stack, model, contestant, expected, results)
            except Unavailable as error:
                results.left_out[f"{contestant.name}, {model.name}"] = str(error)
                print(f"  {contestant.name} is left out: {error}", flush=True)
        for connections in plan.connections:
            able = [each for each in asked if connections == 1 or not each.one_client]
            results.rows += _side_by_side(model, able, connections, plan, results)


def _expected(model: Model) -> NDArray[Any]:
    session = ort.InferenceSession(model.path)
    (y,) = session.run(None, {model.input: model.row})
    return np.asarray(y)


def _started(
    stack: ExitStack,
    model: Model,
    contestant: Contestant,
    expected: NDArray[Any],
    results: Results,
) -> list[_Asked]:
    python = environments.interpreter(contestant)
    port = processes.free_port()
    requests = contestant.requests(model)
    arguments, variables = contestant.arguments(model, port), contestant.variables(model, port)
    first = next(iter(requests.values()))
    running = stack.enter_context(processes.running(python, arguments, variables, port, first))
    for name, request in requests.items():
        status, body = processes.answer(port, request)
        if not is_right(body, expected):
            raise Unavailable(f"{name} answers wrongly ({status}): {body[:200]!r}")
    if model.name == "tiny" and not contestant.one_client:
        results.rest_megabytes[contestant.name] = running.memory_bytes() / MEGA
        results.start_seconds[contestant.name] = running.seconds
    results.installed_megabytes[contestant.name] = _size(contestant, python)
    alone = contestant.one_client
    return [_Asked(name, alone, running, request) for name, request in requests.items()]


def _size(contestant: Contestant, python: str) -> float:
    # This environment holds what developers need, too: what the service needs is not its size.
    return environments.installed_bytes(python) / MEGA if contestant.packages else float("nan")


def _side_by_side(
    model: Model, asked: Sequence[_Asked], connections: int, plan: Plan, results: Results
) -> list[Row]:
    windows: dict[str, list[_Measured]] = {each.name: [] for each in asked}
    for _ in range(plan.windows):
        before = _raw(model, (1,) if connections == 1 else _ROWS, results)
        for each in asked:
            cpu = each.running.cpu_seconds()
            found = load.window(
                each.running.port,
                each.request,
                connections,
                plan.seconds,
                quick=model.name == "tiny",
            )
            spent = each.running.cpu_seconds() - cpu
            of_raw = math.nan
            if connections == 1:  # a machine that others use, too, is not as fast a minute later
                after = _raw(model, (1,), results)
                of_raw = found.per_second / statistics.mean((before, after))
                before = after
            windows[each.name].append(_Measured(found, spent, of_raw))
    rows = [_row(model, name, connections, found) for name, found in windows.items()]
    for row in rows:
        print(
            f"  {row.connections:3} {row.name:24} {row.per_second:9.1f}/s"
            f"  p50 {row.p50_ms:8.2f} ms  p99 {row.p99_ms:8.2f} ms  {row.cpu_ms:7.3f} ms CPU",
            flush=True,
        )
    return rows


def _raw(model: Model, sizes: Sequence[int], results: Results) -> float:
    """Measure the runtime alone, note that, and return its rows per second for the last size."""
    rates = results.raw.setdefault(model.name, {})
    for size in sizes:
        speed = raw_runtime.measured(model, size, _RAW_SECONDS)
        rates.setdefault(size, []).append(speed.rows_per_second)
        if size == 1:
            results.raw_tails.setdefault(model.name, []).append(speed.tail)
    return speed.rows_per_second


def _row(model: Model, name: str, connections: int, found: Sequence[_Measured]) -> Row:
    return Row(
        model.name,
        name,
        connections,
        statistics.median(each.window.per_second for each in found),
        statistics.median(each.window.p50_ms for each in found),
        statistics.median(each.window.p99_ms for each in found),
        statistics.median(each.cpu_seconds * 1000 / max(each.window.answered, 1) for each in found),
        sum(each.window.failures for each in found),
        statistics.median(each.of_raw for each in found),
    )


def make_models(directory: Path, names: Sequence[str]) -> list[Model]:
    """Make the models, each in a folder of its own."""
    from benchmarks.serving import models

    made = []
    for name in names:
        folder = directory / name
        folder.mkdir()
        made.append(models.make(name, folder))
    return made
