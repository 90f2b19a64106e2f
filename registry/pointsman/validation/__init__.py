"""Trying a model before it is published: in a child process, with the runtime that will serve it.

A model file is hostile input to a C++ library: it may crash, hang or eat memory. The child
takes that upon itself; what comes back here is a result or a sentence.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from pointsman.errors import InvalidModel, PointsmanError
from pointsman.manifest import GoldenSet, Measured, OnnxInfo, TensorSpec

_TIMEOUT_SECONDS = 600
_SECRET = re.compile(r"AWS_|.*(KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL)", re.IGNORECASE)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the child is asked to try; all paths are absolute, or empty.

    With `outputs` the model computes the inputs of the golden set into that file, whatever is
    expected of them; without, it is inspected.
    """

    model: str
    golden: str = ""
    sample: str = ""
    outputs: str = ""


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What the child found; `external` are the data files the model refers to, beside it."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    onnx: OnnxInfo
    measured: Measured
    external: tuple[str, ...] = ()
    golden: GoldenSet | None = None


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """How a model did on inputs that were given."""

    latency_seconds: float
    operators: dict[str, int]


class Failure(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Why the child gave up."""

    message: str
    hint: str = ""


def inspect(model: Path, golden: Path | None = None, sample: Path | None = None) -> Inspection:
    """Load and run `model` in a child process, replaying `golden`, or else on `sample`, if given.

    Raises `InvalidModel` with the reason when the model cannot be served, does not reproduce its
    golden set, does not take the sample, or takes the child down.
    """
    request = Request(
        model=str(model),
        golden=str(golden) if golden else "",
        sample=str(sample.absolute()) if sample else "",
    )
    return msgspec.json.decode(_ask(model, request), type=Inspection)


def run(model: Path, golden: Path, outputs: Path) -> Trial:
    """Compute the inputs of `golden` with `model` in a child process, into the file `outputs`.

    Raises `InvalidModel` when the model does not take them, or takes the child down.
    """
    request = Request(model=str(model), golden=str(golden), outputs=str(outputs))
    return msgspec.json.decode(_ask(model, request), type=Trial)


def _ask(model: Path, request: Request) -> bytes:
    # -P: files in the present directory, where models lie, must not pose as Python modules.
    command = [sys.executable, "-P", "-m", "pointsman.validation.child"]
    try:
        child = subprocess.run(  # noqa: S603 — our own module, by our own interpreter
            command,
            input=msgspec.json.encode(request),
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
            env=_environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidModel(
            f"{model.name} did not finish one run in {_TIMEOUT_SECONDS} s"
        ) from error
    return _answer(model, child)


def _environment() -> dict[str, str]:
    """Pass on everything but secrets: a model file might be out to get them."""
    inherited = {name: value for name, value in os.environ.items() if not _SECRET.match(name)}
    return inherited | {"ORT_DISABLE_TELEMETRY": "1"}


def _answer(model: Path, child: "subprocess.CompletedProcess[bytes]") -> bytes:
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        cause = "out of memory?" if name == "SIGKILL" else "the file is broken or hostile"
        raise InvalidModel(f"{model.name} took ONNX Runtime down ({name}): {cause}")
    answer = child.stdout.rpartition(b"\n")[2]  # a library may print while it is imported
    if child.returncode == 1 and answer:
        failure = msgspec.json.decode(answer, type=Failure)
        raise InvalidModel(failure.message, failure.hint)
    if child.returncode != 0 or not answer:
        last = (child.stderr.decode(errors="replace").strip().splitlines() or ["no output"])[-1]
        raise PointsmanError(
            f"validation could not run: {last}",
            "Install the library with its extra: pip install 'pointsman-registry[validate]'.",
        )
    return answer
