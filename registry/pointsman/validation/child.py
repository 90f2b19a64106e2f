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
from pointsman.validation import Failure, Inspection, Request
from pointsman.validation.onnx_file import describe, external_files
from pointsman.validation.sample import draw
from pointsman.version_files import GOLDEN

_RUNS = 5


def main() -> int:
    """Answer one request."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints from now on must not get into the answer
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    try:
        answer: msgspec.Struct = _inspect(Path(request.model), request.golden)
    except PointsmanError as error:
        answer = Failure(message=error.message, hint=error.hint)
    except MemoryError:
        answer = Failure(message=f"there is not enough memory to try {Path(request.model).name}")
    with os.fdopen(answers, "wb") as out:
        out.write(b"\n" + msgspec.json.encode(answer))
    return 1 if isinstance(answer, Failure) else 0


def _inspect(model: Path, golden_path: str) -> Inspection:
    file = describe(model)
    external = external_files(file, model)
    started = time.perf_counter()
    session = Session(model)
    load_seconds = time.perf_counter() - started
    examples = golden.load(Path(golden_path)) if golden_path else None
    latency_seconds = _try(session, model.name, examples)
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


def _try(session: Session, name: str, examples: golden.Golden | None) -> float:
    """Run the model several times; return the median latency in seconds."""
    if examples is not None:
        _check_names(examples.inputs, session.inputs)
    feed = examples.inputs if examples else draw(session.inputs)
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
            "" if examples else "Give it inputs it can take: a golden set, with --golden.",
        ) from error
    if examples is not None and (difference := golden.mismatch(examples, computed)):
        raise InvalidModel(
            f"{name} does not reproduce its golden set: {difference}",
            "Make the golden set again from this very file, or publish the right one.",
        )
    return statistics.median(durations)


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
