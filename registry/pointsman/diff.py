"""What differs between two versions: by their manifests, and by what they compute. No I/O.

`facts` needs only the manifests. `outputs` compares what both computed from the same inputs: by
the largest difference, and by how often they would decide the same (top-1 agreement, where an
output has a score per class; equality, where it is a decision itself).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.manifest import Manifest

Arrays = Mapping[str, NDArray[Any]]
Compared = tuple[str, Mapping[str, Any], Mapping[str, Any]]
_CLASS_AXES = 2


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that differs; None where a version lacks it."""

    kind: str
    name: str
    before: str | float | None
    after: str | float | None


@dataclass(frozen=True, slots=True)
class OutputDifference:
    """How far one output of two versions is apart.

    `largest` is None where values cannot be subtracted, or are not numbers everywhere in the same
    places; `agreement` is None where no decision can be read off the output.
    """

    name: str
    largest: float | None
    agreement: float | None
    note: str = ""


def facts(before: Manifest, after: Manifest) -> list[Difference]:
    """Return all facts of two manifests that differ, by kind and name."""
    compared: list[Compared] = [
        ("file", _files(before), _files(after)),
        ("metric", before.metrics, after.metrics),
        ("label", before.labels, after.labels),
        ("opset", before.onnx.opsets, after.onnx.opsets),
        ("onnx", _onnx(before), _onnx(after)),
        ("size", {"bytes": before.size}, {"bytes": after.size}),
    ]
    if before.onnx.operators and after.onnx.operators:
        # Early manifests did not count them, and "none" would be a lie.
        compared.append(("operator", before.onnx.operators, after.onnx.operators))
    return [*tensors(before, after), *_all_differing(compared)]


def tensors(before: Manifest, after: Manifest) -> list[Difference]:
    """Return the inputs and outputs that differ: what a client of both would notice."""
    return _all_differing(
        [
            ("input", _specs(before, "inputs"), _specs(after, "inputs")),
            ("output", _specs(before, "outputs"), _specs(after, "outputs")),
        ]
    )


def outputs(before: Arrays, after: Arrays) -> list[OutputDifference]:
    """Compare the outputs that both have, in the first one's order."""
    return [_output(name, before[name], after[name]) for name in before if name in after]


def _all_differing(compared: Iterable[Compared]) -> list[Difference]:
    return [each for kind, left, right in compared for each in _differing(kind, left, right)]


def _differing(
    kind: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterable[Difference]:
    for name in dict.fromkeys([*before, *after]):
        left, right = before.get(name), after.get(name)
        if left != right:
            yield Difference(kind, name, left, right)


def _specs(manifest: Manifest, member: str) -> dict[str, str]:
    return {spec.name: str(spec).partition(" ")[2] for spec in getattr(manifest, member)}


def _files(manifest: Manifest) -> dict[str, str]:
    return {file.path: f"{file.size} bytes, {file.sha256[:12]}" for file in manifest.files}


def _onnx(manifest: Manifest) -> dict[str, Any]:
    return {"ir_version": manifest.onnx.ir_version, "producer": manifest.onnx.producer}


def _output(name: str, before: NDArray[Any], after: NDArray[Any]) -> OutputDifference:
    if before.shape != after.shape:
        note = f"shapes {before.shape} and {after.shape}"
        return OutputDifference(name, None, None, note)
    return OutputDifference(name, _largest(before, after), _agreement(before, after))


def _largest(before: NDArray[Any], after: NDArray[Any]) -> float | None:
    if not (_numeric(before) and _numeric(after)):
        return None
    if not before.size:
        return 0.0
    left, right = before.astype(np.float64), after.astype(np.float64)
    with np.errstate(all="ignore"):
        gaps = np.abs(left - right)
    gaps[(left == right) | (np.isnan(left) & np.isnan(right))] = 0.0
    largest = float(gaps.max())
    return largest if np.isfinite(largest) else None


def _agreement(before: NDArray[Any], after: NDArray[Any]) -> float | None:
    if not before.size:
        return None
    scored = before.dtype.kind == "f" and after.dtype.kind == "f"
    if not scored:
        return float(np.mean(np.asarray(before == after)))
    if before.ndim < _CLASS_AXES or before.shape[-1] == 1:
        return None
    return float(np.mean(before.argmax(axis=-1) == after.argmax(axis=-1)))


def _numeric(array: NDArray[Any]) -> bool:
    return array.dtype.kind in "biuf"
