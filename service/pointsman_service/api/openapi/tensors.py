"""JSON Schemas of tensors, and small examples of them, by their specification; pure."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from pointsman import datatypes
from pointsman.manifest import TensorSpec

Schema = dict[str, Any]
Element = Callable[[str], Schema]

_MOST_ELEMENTS = 256
"""An example with more values is of no use to a reader."""
_ANY_LENGTH = 2
_FIRST_TOO_LARGE = {
    "BF16": (2 - 2**-8) * 2.0**127,
    "FP16": (2 - 2**-11) * 2.0**15,
    "FP32": (2 - 2**-24) * 2.0**127,
}
"""What is rounded up to infinity: half a step above the largest number."""


def named(specs: Iterable[TensorSpec], element: Element) -> Schema:
    """Describe an object that has one nested list for every tensor."""
    properties = {spec.name: nested(spec, element) for spec in specs}
    return {"type": "object", "properties": properties, "required": list(properties)}


def nested(spec: TensorSpec, element: Element) -> Schema:
    """Describe a tensor as lists in lists, the lengths as the shape says."""
    schema = element(spec.datatype)
    innermost = len(spec.shape) - 1
    for axis, size in reversed([*enumerate(spec.shape)]):
        schema = {"type": "array", "items": schema}
        if size >= 0:
            schema |= {"minItems": size, "maxItems": size}
        elif axis < innermost:
            schema["minItems"] = 1  # an empty list does not show what would be in it
    return schema | {"title": str(spec)}


def given(datatype: str) -> Schema:
    """Describe one value that is sent, with the range that its datatype holds."""
    kind = datatypes.NUMPY[datatype].kind
    if kind in "iu":
        limits = np.iinfo(datatypes.NUMPY[datatype])
        return {"type": "integer", "minimum": int(limits.min), "maximum": int(limits.max)}
    if datatype in _FIRST_TOO_LARGE:
        beyond = _FIRST_TOO_LARGE[datatype]
        return {"type": "number", "exclusiveMinimum": -beyond, "exclusiveMaximum": beyond}
    if kind == "f":
        return {"type": "number"}  # as wide as JSON is read
    return {"type": {"b": "boolean", "O": "string"}.get(kind, "null")}


def answered(datatype: str) -> Schema:
    """Describe one value that is answered: JSON has neither NaN nor infinities."""
    schema = given(datatype)
    return {"type": ["number", "null"]} if schema["type"] == "number" else schema


def example(spec: TensorSpec) -> Any:
    """Return a tensor of one row, as nested lists; None for one that is too large to show."""
    shape = example_shape(spec)
    if math.prod(shape) > _MOST_ELEMENTS:
        return None
    value: Any = {"number": 0.5, "integer": 0, "boolean": True, "string": "text"}.get(
        given(spec.datatype)["type"]
    )
    for size in reversed(shape):
        value = [value] * size
    return value


def example_shape(spec: TensorSpec) -> list[int]:
    """Return a shape with one row, and small sizes where the model leaves them open."""
    return [
        size if size >= 0 else (1 if axis == 0 else _ANY_LENGTH)
        for axis, size in enumerate(spec.shape)
    ]
