"""Golden sets: inputs and expected outputs that travel with a version.

A golden set is an `.npz` file of arrays named `inputs/<name>` and `outputs/<name>`, every one
with the rows first. Replaying it proves that a model computes here what it computed where it
was published: another processor, another runtime or one wrong bit shows. Optional scalars `rtol`
and `atol` set the tolerance for floating-point outputs; all others must be equal. Strings are
stored as numpy's own, because objects would need pickle, and come back as objects.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pointsman import bfloat16
from pointsman.errors import InvalidModel

DEFAULT_RTOL = 1e-3
DEFAULT_ATOL = 1e-5
MAX_BYTES = 256 << 20

Arrays = Mapping[str, NDArray[Any]]


class Golden(msgspec.Struct, frozen=True):
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
    arrays = unpacked(path)
    golden = Golden(
        inputs=_part(arrays, "inputs/"),
        outputs=_part(arrays, "outputs/"),
        rtol=_tolerance(arrays, "rtol", DEFAULT_RTOL),
        atol=_tolerance(arrays, "atol", DEFAULT_ATOL),
    )
    _check(golden, path.name)
    return golden


def save(path: Path, inputs: Arrays, outputs: Arrays) -> None:
    """Write a golden set that `load` reads."""
    arrays = {f"inputs/{name}": _storable(array) for name, array in inputs.items()}
    arrays |= {f"outputs/{name}": _storable(array) for name, array in outputs.items()}
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


def unpacked(path: Path, kind: str = "a golden set") -> Arrays:
    """Read an `.npz` that may be hostile; raises `InvalidModel`, which calls it `kind`."""
    import zipfile  # not before there is one: it takes its time to import

    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size <= MAX_BYTES:
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
    except Exception as error:  # a hostile archive makes zipfile, zlib and numpy raise anything
        reason = str(error) or type(error).__name__
        raise InvalidModel(f"{path.name} is not {kind}: {reason}", _HINT) from error
    raise InvalidModel(f"{path.name} unpacks to more than {MAX_BYTES} bytes")


def _tolerance(arrays: Arrays, name: str, default: float) -> float:
    array = arrays.get(name, np.array(default))
    if array.size != 1 or array.dtype.kind not in "fiu":
        raise InvalidModel(f"the golden set's {name} is not a number")
    tolerance = float(array.item())
    if not 0 <= tolerance < math.inf:
        raise InvalidModel(f"the golden set's {name} is {tolerance}: it must be finite, from 0 up")
    return tolerance


def _storable(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.str_) if array.dtype == object else array


def _usable(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(object) if array.dtype.kind == "U" else array


def _numeric(array: NDArray[Any]) -> NDArray[Any]:
    return bfloat16.to_float32(array) if array.dtype == bfloat16.DTYPE else array


def _part(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): _usable(array)
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
    expected, got = _numeric(expected), _numeric(got)
    if expected.dtype.kind == "f" and got.dtype.kind == "f":
        close = np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
        if close.all():
            return ""
        with np.errstate(all="ignore"):
            gaps = np.abs(got.astype(np.float64) - expected.astype(np.float64))[~close]
        worst = "not a number" if np.isnan(gaps).any() else f"up to {gaps.max():.3g}"
        return f"differs at {gaps.size} of {close.size} values, by {worst}"
    same = np.asarray(got == expected)
    return "" if same.all() else f"differs at {int((~same).sum())} of {same.size} values"
