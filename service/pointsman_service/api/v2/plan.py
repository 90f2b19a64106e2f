"""A plan: the JSON of an inference request, understood against a model's signature; pure.

It says where each tensor is, and all else that is wished for. It knows nothing of the tensors in
binary but their sizes, so it is the same for all requests that differ in these only.
"""

import math
from collections.abc import Iterator, Sequence

import msgspec

from pointsman.manifest import Manifest, TensorSpec
from pointsman_service.api.v2.inference_request import (
    Parameters,
    RequestedOutput,
    WireInput,
    WireOutput,
    WireRequest,
    count,
    flag,
)
from pointsman_service.errors import InputInvalid
from pointsman_service.tensors import fits

_NON_FINITE = ("token", "null")
_MICROSECONDS = 1e-6
_MAX_CLASSES = 10_000
_MOST_OF_NOTHING = 1 << 24
"""What an empty tensor's other sizes may multiply to: nothing has to be sent to make them large,
and a model that reduces the empty dimension would fill as much memory with zeros."""
_SHOWN_CHARACTERS = 80


class Place(msgspec.Struct, frozen=True):
    """An input that fits the signature: `data` in the JSON, or `size` bytes from `start` on."""

    spec: TensorSpec
    shape: Sequence[int]
    elements: int
    data: msgspec.Raw
    start: int
    size: int | None


class Plan(msgspec.Struct):
    """The JSON of a request, understood: all about it but what is in binary."""

    places: Sequence[Place]
    """In the order of the signature."""
    size: int
    """How many bytes in binary there are."""
    outputs: Sequence[RequestedOutput]
    id: str
    timeout: float | None = None
    priority: int = 0
    non_finite: str = ""


def understand(document: WireRequest, manifest: Manifest) -> Plan:
    """Make the plan; raises `InputInvalid` with what does not fit the signature."""
    places = list(_places(document.inputs, manifest.inputs))
    if len(places) != len(manifest.inputs):
        given = {place.spec.name for place in places}
        missing = next(spec.name for spec in manifest.inputs if spec.name not in given)
        raise InputInvalid(f"the input {missing!r} is missing")
    if len(places) > 1:
        order = [spec.name for spec in manifest.inputs]
        places.sort(key=lambda place: order.index(place.spec.name))
    plan = Plan(
        places=places,
        size=sum(place.size or 0 for place in places),
        outputs=_outputs(document.outputs, document.parameters, manifest.outputs),
        id=document.id or "",
    )
    if document.parameters:
        _schedule(plan, document.parameters)
    return plan


def _places(inputs: Sequence[WireInput], signature: Sequence[TensorSpec]) -> Iterator[Place]:
    specs = {spec.name: spec for spec in signature}
    seen = set()
    start = 0
    for given in inputs:
        spec = specs.get(given.name)
        if spec is None:
            raise _stranger("input", given.name, signature)
        if given.name in seen:
            raise InputInvalid(f"input {given.name!r} already exists in request")
        seen.add(given.name)
        size = count(given.parameters, "binary_data_size") if given.parameters else None
        if size is None and not given.has_data:
            raise InputInvalid(f"the input {given.name!r} has no data")
        if size is not None and given.has_data:
            raise InputInvalid(f"{given.name!r} has both data and a binary_data_size")
        yield Place(spec, given.shape, _elements(given, spec), given.data, start, size)
        start += size or 0


def _schedule(plan: Plan, parameters: Parameters) -> None:
    timeout = count(parameters, "timeout")
    plan.timeout = timeout * _MICROSECONDS if timeout else None
    plan.priority = count(parameters, "priority") or 0
    non_finite = parameters.get("non_finite") or ""
    if non_finite and non_finite not in _NON_FINITE:
        raise InputInvalid('Invalid value for \'non_finite\': expected "token" or "null"')
    plan.non_finite = str(non_finite)


def _elements(given: WireInput, spec: TensorSpec) -> int:
    """Return how many values an input has; raises unless datatype and shape are the model's."""
    if given.datatype != spec.datatype:
        raise InputInvalid(
            f"{spec.name!r} is given as {given.datatype[:_SHOWN_CHARACTERS]}, "
            f"and the model takes {spec.datatype}"
        )
    shape = given.shape
    if not fits(shape, spec.shape):
        raise InputInvalid(
            f"{spec.name!r} has the shape {shape}, and the model takes {list(spec.shape)}"
        )
    elements = math.prod(shape)
    if not elements and math.prod(size or 1 for size in shape) > _MOST_OF_NOTHING:
        raise InputInvalid(f"{spec.name!r} has the shape {shape}, which is too large to be empty")
    return elements


def _outputs(
    asked: Sequence[WireOutput] | None,
    parameters: Parameters | None,
    signature: Sequence[TensorSpec],
) -> list[RequestedOutput]:
    preferred = bool(parameters) and flag(parameters, "binary_data_output", default=False)
    if not asked:
        return [RequestedOutput(spec.name, preferred) for spec in signature]
    known = {spec.name for spec in signature}
    outputs: dict[str, RequestedOutput] = {}
    for each in asked:
        if each.name not in known:
            raise _stranger("output", each.name, signature)
        if each.name in outputs:
            raise InputInvalid(f"output {each.name!r} already exists in request")
        classes = count(each.parameters, "classification") or 0
        outputs[each.name] = RequestedOutput(
            each.name,
            flag(each.parameters, "binary_data", default=preferred),
            min(classes, _MAX_CLASSES),
        )
    return list(outputs.values())


def _stranger(kind: str, name: str, signature: Sequence[TensorSpec]) -> InputInvalid:
    known = ", ".join(repr(spec.name) for spec in signature)
    return InputInvalid(f"there is no {kind} {name[:_SHOWN_CHARACTERS]!r}: the model has {known}")
