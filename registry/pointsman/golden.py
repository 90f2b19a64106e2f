"""Golden sets: inputs and expected outputs that travel with a version.

A golden set is an `.npz` file of arrays named `inputs/<name>` and `outputs/<name>`, every one
with the rows first. Replaying it proves that a model computes here what it computed where it
was published: another processor, another runtime or one wrong bit shows. Optional scalars `rtol`
and `atol` set the tolerance for floating-point outputs; all others must be equal.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.errors import InvalidModel

DEFAULT_RTOL = 1e-3
DEFAULT_ATOL = 1e-5
MAX_BYTES = 256 << 20

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Golden:
    """A golden set in memory."""

    inputs: Arrays
    outputs: Arrays
    rtol: float
    atol: float

    @property
    def rows(self) -> int:
        """How many examples there are."""
        return min((len(array) for array in self.inputs.values()), default=0)


def load(path: Path) -> Golden:
    """Read a golden set; raises `InvalidModel` when the file is not one."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_BYTES:
            raise InvalidModel(f"the golden set {path.name} unpacks to more than {MAX_BYTES} bytes")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise InvalidModel(f"{path.name} is not a golden set: {error}", _HINT) from error
    golden = Golden(
        inputs=_part(arrays, "inputs/"),
        outputs=_part(arrays, "outputs/"),
        rtol=float(arrays.get("rtol", DEFAULT_RTOL)),
        atol=float(arrays.get("atol", DEFAULT_ATOL)),
    )
    _check(golden, path.name)
    return golden


def save(path: Path, inputs: Arrays, outputs: Arrays) -> None:
    """Write a golden set that `load` reads."""
    arrays = {f"inputs/{name}": array for name, array in inputs.items()}
    arrays |= {f"outputs/{name}": array for name, array in outputs.items()}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def from_json(golden: Golden, outputs: Mapping[str, Any]) -> Arrays:
    """Turn a service's JSON outputs into arrays that `mismatch` can compare."""
    return {
        name: np.asarray(outputs[name], dtype=expected.dtype)
        for name, expected in golden.outputs.items()
        if name in outputs
    }


def mismatch(golden: Golden, computed: Arrays) -> str:
    """Say in one sentence how `computed` differs from what is expected; "" when it does not."""
    for name, expected in golden.outputs.items():
        if name not in computed:
            return f"the model has no output {name!r}"
        if difference := _difference(expected, computed[name], golden.rtol, golden.atol):
            return f"output {name!r} {difference}"
    return ""


_HINT = "Make one with numpy.savez(path, **{'inputs/NAME': array, 'outputs/NAME': array})."


def _part(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _check(golden: Golden, name: str) -> None:
    arrays = [*golden.inputs.values(), *golden.outputs.values()]
    if not golden.inputs or not golden.outputs:
        raise InvalidModel(f"the golden set {name} lacks inputs or outputs", _HINT)
    if any(array.ndim == 0 for array in arrays) or len({len(array) for array in arrays}) != 1:
        raise InvalidModel(f"the arrays of the golden set {name} differ in their number of rows")
    if not golden.rows:
        raise InvalidModel(f"the golden set {name} is empty")


def _difference(expected: NDArray[Any], got: NDArray[Any], rtol: float, atol: float) -> str:
    if expected.shape != got.shape:
        return f"has the shape {got.shape} and not {expected.shape}"
    if expected.dtype.kind == "f" and got.dtype.kind == "f":
        close = np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
        if close.all():
            return ""
        worst = float(np.nanmax(np.abs(got - expected)))
        return f"differs at {int((~close).sum())} of {close.size} values, by up to {worst:.3g}"
    same = got == expected
    return "" if same.all() else f"differs at {int((~same).sum())} of {same.size} values"
