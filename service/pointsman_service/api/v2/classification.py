"""The classification extension: the best classes of an output instead of all its values."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman import bfloat16
from pointsman.manifest import TensorSpec
from pointsman_service.api.v2 import binary
from pointsman_service.errors import InputInvalid


def classify(
    array: NDArray[Any], spec: TensorSpec, classes: int
) -> tuple[NDArray[Any], TensorSpec]:
    """Return BYTES of shape [rows, classes], each "value:index", the highest value first.

    Rows are the first dimension, everything behind it are classes; of equal values the one with
    the lower index comes first. Raises `InputInvalid` for outputs whose values have no order.
    """
    if spec.datatype == "BF16":
        array = bfloat16.to_float32(array)
    if array.dtype.kind not in "iuf":
        raise InputInvalid(f"output {spec.name!r} is {spec.datatype}, which has no best classes")
    lines, columns = _table(array.shape)
    table = array.reshape(lines, columns)
    count = min(classes, columns)
    order = _best_first(table)[:, :count]
    values = np.take_along_axis(table, order, axis=1)
    # str, because it is as short as the datatype allows: 0.1, and not 0.10000000149011612.
    texts = [f"{value!s}:{index}" for value, index in zip(values.flat, order.flat, strict=True)]
    shape = (lines, count) if array.ndim > 1 else (count,)
    return binary.strings(texts).reshape(shape), TensorSpec(
        name=spec.name, datatype="BYTES", shape=shape
    )


def _table(shape: tuple[int, ...]) -> tuple[int, int]:
    return (shape[0], math.prod(shape[1:])) if len(shape) > 1 else (1, math.prod(shape))


def _best_first(table: NDArray[Any]) -> NDArray[np.intp]:
    """Return the indices of each row's values in descending order, NaN last."""
    # Turned around twice, because the sort is ascending and the first of equals shall be first.
    if table.dtype.kind == "f":
        table = np.where(np.isnan(table), -np.inf, table)
    ascending = np.argsort(table[:, ::-1], axis=1, kind="stable")
    order: NDArray[np.intp] = table.shape[1] - 1 - ascending[:, ::-1]
    return order
