"""Inputs for a first run, drawn from the signature when the publisher gave none."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman import datatypes
from pointsman.errors import InvalidModel
from pointsman.manifest import TensorSpec

MAX_ELEMENTS = 64 << 20
_ANY_LENGTH = 8


def draw(inputs: Iterable[TensorSpec]) -> dict[str, NDArray[Any]]:
    """Return one row for every input: a batch of 1, and 8 wherever else the shape is open.

    Floats are drawn from [0, 1) with a fixed seed. Integers are zero, because they are often
    indices and zero is one that exists. Raises `InvalidModel` for an input that would be
    absurdly large.
    """
    generator = np.random.default_rng(0)
    return {spec.name: _array(spec, generator) for spec in inputs}


def _array(spec: TensorSpec, generator: np.random.Generator) -> NDArray[Any]:
    shape = tuple(
        size if size >= 0 else (1 if axis == 0 else _ANY_LENGTH)
        for axis, size in enumerate(spec.shape)
    )
    if math.prod(shape) > MAX_ELEMENTS:
        raise InvalidModel(
            f"a sample of {spec} would have more than {MAX_ELEMENTS} elements",
            "Give it inputs it can take: a golden set.",
        )
    dtype = datatypes.NUMPY[spec.datatype]
    if spec.datatype == "BYTES":
        return np.full(shape, "", dtype=object)
    if dtype.kind == "f":
        return generator.random(shape).astype(dtype)
    return np.zeros(shape, dtype=dtype)
