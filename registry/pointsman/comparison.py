"""Running two versions on the same golden set, each in a process of its own, and comparing.

Which golden set: the first version's, or the second's where the first has none. Where neither
has one, or they take different inputs, nothing is run, and it is said why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from pointsman import diff, golden, validation
from pointsman.diff import Difference, OutputDifference
from pointsman.errors import InvalidModel
from pointsman.manifest import Manifest, Version


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version and the directory its files are in."""

    version: Version
    directory: Path

    @property
    def manifest(self) -> Manifest:
        """The version's manifest."""
        return self.version.manifest

    @property
    def golden(self) -> Path | None:
        """The golden set, if there is one."""
        described = self.manifest.golden
        return self.directory / described.path if described else None


@dataclass(frozen=True, slots=True)
class Runs:
    """Both versions on the same rows: seconds per run, and how the outputs differ."""

    golden_of: str
    rows: int
    seconds: tuple[float, float]
    outputs: tuple[OutputDifference, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs; without `runs`, `not_run` says why."""

    facts: tuple[Difference, ...]
    runs: Runs | None
    not_run: str = ""


def not_runnable(before: Manifest, after: Manifest) -> str:
    """Say why two versions cannot be run on the same rows; "" when they can."""
    if before.golden is None and after.golden is None:
        return "neither version has a golden set"
    if before.inputs != after.inputs:
        return "they take different inputs"
    return ""


def compare(before: Candidate, after: Candidate, scratch: Path) -> Comparison:
    """Compare two versions whose files are here; `scratch` is a directory for what they compute.

    A version that does not run on the other's golden set is a finding and not a failure.
    """
    facts = tuple(diff.facts(before.manifest, after.manifest))
    if reason := not_runnable(before.manifest, after.manifest):
        return Comparison(facts, None, reason)
    try:
        runs, operators = _run((before, after), scratch)
    except InvalidModel as error:
        return Comparison(facts, None, error.message)
    counted = [
        _with_operators(each.manifest, count)
        for each, count in zip((before, after), operators, strict=True)
    ]
    return Comparison(tuple(diff.facts(*counted)), runs)


def _run(both: Sequence[Candidate], scratch: Path) -> tuple[Runs, list[dict[str, int]]]:
    examples, owner = next((each.golden, each) for each in both if each.golden is not None)
    computed, seconds, operators = [], [], []
    for index, each in enumerate(both):
        outputs = scratch / f"outputs-{index}.npz"
        trial = validation.run(each.directory / each.manifest.entrypoint, examples, outputs)
        computed.append(golden.load(outputs))
        seconds.append(trial.latency_seconds)
        operators.append(trial.operators)
    first, second = computed
    runs = Runs(
        golden_of=owner.manifest.version,
        rows=first.rows,
        seconds=(seconds[0], seconds[1]),
        outputs=tuple(diff.outputs(first.outputs, second.outputs)),
    )
    return runs, operators


def _with_operators(manifest: Manifest, operators: dict[str, int]) -> Manifest:
    """Early manifests lack the count."""
    onnx = msgspec.structs.replace(manifest.onnx, operators=operators)
    return msgspec.structs.replace(manifest, onnx=onnx)
