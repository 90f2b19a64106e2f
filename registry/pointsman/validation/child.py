"""The child process of validation: reads a `Request` from stdin, writes its findings to stdout.

Run as `python -m pointsman.validation.child`: exit code 0 and an `Inspection`, or 1 and a
`Failure`.
"""

import os
import resource
import statistics
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from pointsman import golden
from pointsman.errors import InvalidModel, PointsmanError
from pointsman.manifest import GoldenSet, Measured, TensorSpec
from pointsman.session import RUNTIME, Arrays, RunFailed, Session
from pointsman.validation import Failure, Inspection, Request, Trial
from pointsman.validation.onnx_file import describe, external_files
from pointsman.validation.sample import draw, load
from pointsman.version_files import GOLDEN

_RUNS = 5


def main() -> int:
    """Answer one request."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints from now on must not get into the answer
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    try:
        answer: msgspec.Struct = _trial(request) if request.outputs else _inspect(request)
    except PointsmanError as error:
        answer = Failure(message=error.message, hint=error.hint)
    except MemoryError:
        answer = Failure(message=f"there is not enough memory to try {Path(request.model).name}")
    with os.fdopen(answers, "wb") as out:
        out.write(b"\n" + msgspec.json.encode(answer))
    return 1 if isinstance(answer, Failure) else 0


def _inspect(request: Request) -> Inspection:
    model = Path(request.model)
    file = describe(model)
    external = external_files(file, model)
    started = time.perf_counter()
    session = Session(model)
    load_seconds = time.perf_counter() - started
    examples = golden.load(Path(request.golden)) if request.golden else None
    latency_seconds, computed = _run(session, model.name, _feed(session, request, examples))
    _compare(model.name, examples, computed)
    return Inspection(
        inputs=session.inputs,
        outputs=session.outputs,
        onnx=file.info,
        external=external,
        golden=_described(examples),
        measured=Measured(
            runtime=RUNTIME,
            load_seconds=round(load_seconds, 6),
            latency_seconds=round(latency_seconds, 6),
            peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        ),
    )


def _described(examples: golden.Golden | None) -> GoldenSet | None:
    if examples is None:
        return None
    return GoldenSet(path=GOLDEN, rows=examples.rows, rtol=examples.rtol, atol=examples.atol)


def _trial(request: Request) -> Trial:
    model, examples = Path(request.model), golden.load(Path(request.golden))
    session = Session(model)
    _check_names(examples.inputs, session.inputs)
    latency_seconds, computed = _run(session, model.name, examples.inputs)
    golden.save(Path(request.outputs), examples.inputs, computed)
    return Trial(
        latency_seconds=round(latency_seconds, 6), operators=describe(model).info.operators
    )


def _feed(session: Session, request: Request, examples: golden.Golden | None) -> Arrays:
    """Choose what to try the model on: golden set, sample, or inputs drawn from the signature."""
    if examples is not None:
        _check_names(examples.inputs, session.inputs)
        return examples.inputs
    return load(Path(request.sample), session.inputs) if request.sample else draw(session.inputs)


def _run(session: Session, name: str, feed: Arrays) -> tuple[float, Arrays]:
    """Run the model several times; return the median latency in seconds, and the outputs."""
    durations = []
    try:
        for _ in range(_RUNS):
            started = time.perf_counter()
            computed = session.run(feed)
            durations.append(time.perf_counter() - started)
    except RunFailed as error:
        shapes = ", ".join(f"{key} {array.dtype}{array.shape}" for key, array in feed.items())
        raise InvalidModel(
            f"{name} fails on {shapes}: {error}",
            "Give it inputs it can take: a golden set with --golden, or only inputs with --sample.",
        ) from error
    return statistics.median(durations), computed


def _compare(name: str, examples: golden.Golden | None, computed: Arrays) -> None:
    if examples is not None and (difference := golden.mismatch(examples, computed)):
        raise InvalidModel(
            f"{name} does not reproduce its golden set: {difference}",
            "Make the golden set again from this very file, or publish the right one.",
        )


def _check_names(given: Arrays, inputs: Iterable[TensorSpec]) -> None:
    names = {spec.name for spec in inputs}
    if names != given.keys():
        raise InvalidModel(
            f"the golden set has the inputs {', '.join(sorted(given))}, "
            f"and the model {', '.join(sorted(names))}",
            "Name its arrays 'inputs/<name>' after the model's inputs.",
        )


if __name__ == "__main__":
    sys.exit(main())
