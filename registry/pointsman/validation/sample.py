"""Inputs for a first run: from the publisher's file, or else drawn from the signature."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman import datatypes, golden
from pointsman.errors import InvalidModel
from pointsman.manifest import TensorSpec

MAX_ELEMENTS = 64 << 20
_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
_ANY_LENGTH = 8


def load(path: Path, inputs: Iterable[TensorSpec]) -> dict[str, NDArray[Any]]:
    """Read inputs from `path`: an `.npz` of arrays by name, or JSON as `/predict` takes it.

    Raises `InvalidModel` when the file cannot be read, or lacks an input, or has another one.
    """
    specs = {spec.name: spec for spec in inputs}
    given = _from_npz(path) if path.suffix == ".npz" else _from_json(path, list(specs))
    if specs.keys() != given.keys():
        raise InvalidModel(
            f"the sample {path.name} has the inputs {', '.join(sorted(given)) or 'none'}, "
            f"and the model {', '.join(sorted(specs))}",
            "Name them after the model's inputs.",
        )
    return {name: _typed(given[name], spec, path.name) for name, spec in specs.items()}


def draw(inputs: Iterable[TensorSpec]) -> dict[str, NDArray[Any]]:
    """Return one row for every input: a batch of 1, and 8 wherever else the shape is open.

    Floats are spread over [0, 1), the same ones every time. Integers are zero, because they are
    often indices and zero is one that exists. Raises `InvalidModel` for an input that would be
    absurdly large.
    """
    return {spec.name: _array(spec, number) for number, spec in enumerate(inputs)}


def _from_npz(path: Path) -> dict[str, Any]:
    """Read arrays, named plainly or `inputs/<name>` as in a golden set."""
    arrays = golden.unpacked(path, "a sample")
    return {
        name.removeprefix("inputs/"): array
        for name, array in arrays.items()
        if not name.startswith("outputs/") and name not in {"rtol", "atol"}
    }


def _from_json(path: Path, names: list[str]) -> dict[str, Any]:
    try:
        if path.stat().st_size > golden.MAX_BYTES:
            raise InvalidModel(f"the sample {path.name} has more than {golden.MAX_BYTES} bytes")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise InvalidModel(f"cannot read the sample {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidModel(
            f"the sample {path.name} is neither .npz nor JSON", 'E.g. {"inputs": {"x": [[1, 2]]}}'
        ) from error
    given = found.get("inputs", found) if isinstance(found, Mapping) else found
    if not isinstance(given, Mapping):
        given = dict.fromkeys(names[:1], given) if len(names) == 1 else {}
    return dict(given)


def _typed(value: Any, spec: TensorSpec, name: str) -> NDArray[Any]:
    try:
        array = np.asarray(value).astype(datatypes.NUMPY[spec.datatype])
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidModel(f"the sample {name} does not fit {spec}: {error}") from error
    fits = len(array.shape) == len(spec.shape) and all(
        wanted in {-1, size} for size, wanted in zip(array.shape, spec.shape, strict=True)
    )
    if not fits:
        raise InvalidModel(f"the sample {name} has the shape {array.shape}, and the model {spec}")
    return array


def _array(spec: TensorSpec, number: int) -> NDArray[Any]:
    shape = tuple(
        size if size >= 0 else (1 if axis == 0 else _ANY_LENGTH)
        for axis, size in enumerate(spec.shape)
    )
    if math.prod(shape) > MAX_ELEMENTS:
        raise InvalidModel(
            f"a sample of {spec} would have more than {MAX_ELEMENTS} elements",
            "Give it inputs it can take: a golden set, or a sample.",
        )
    dtype = datatypes.NUMPY[spec.datatype]
    if spec.datatype == "BYTES":
        return np.full(shape, "", dtype=object)
    if dtype.kind == "f":
        # Weyl's sequence. Importing numpy's generators takes longer than loading a small model.
        steps = np.arange(1, math.prod(shape) + 1) + number / math.e
        spread: NDArray[Any] = np.modf(steps * _GOLDEN_RATIO)[0]
        return spread.reshape(shape).astype(dtype)
    return np.zeros(shape, dtype=dtype)
