"""BF16, a datatype that numpy lacks: the upper half of a FP32, as two bytes under its own dtype.

The dtype has one field, so that such an array can be stored, stacked and cut like any other, and
cannot be mistaken for one of integers.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

DTYPE: np.dtype[Any] = np.dtype([("bfloat16", "<u2")])

_HALF = 16
_QUIET_NAN = 0x7FC0


def from_float32(array: NDArray[Any]) -> NDArray[Any]:
    """Round to the nearest BF16, of two to the even one; what is too large becomes infinite."""
    values = np.ascontiguousarray(array, "<f4")
    bits = values.view("<u4").astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> _HALF) & 1)) >> _HALF
    halves = np.where(np.isnan(values), _QUIET_NAN, rounded).astype("<u2")
    return halves.view(DTYPE).reshape(array.shape)


def to_float32(array: NDArray[Any]) -> NDArray[Any]:
    """Return the same values as FP32."""
    halves = np.ascontiguousarray(array).view("<u2").reshape(array.shape)
    return (halves.astype("<u4") << _HALF).view("<f4")
