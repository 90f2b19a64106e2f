"""From the bytes of an inference request to what the model is fed; pure.

Which form a body has is told by `Inference-Header-Content-Length` alone: how many leading bytes
are JSON. Binary tensors follow it in the order of their inputs; a length of 0 means that the
whole body is the only input.
"""

import math
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from pointsman import datatypes
from pointsman.manifest import Manifest, TensorSpec
from pointsman_service.api.v2 import binary, inference_request, json_data
from pointsman_service.api.v2.inference_request import InferenceRequest, RequestedOutput
from pointsman_service.api.v2.plan import Place, Plan, understand
from pointsman_service.errors import InputInvalid

JSON_LENGTH = b"inference-header-content-length"

_DIGITS = 18
_COPIED_PER_PARSED = 64
"""Memory is copied that many times faster than JSON is parsed, at least."""
_MOST_REPEATED_BYTES = 2 << 10
_MOST_PLANS = 64

Plans = dict[bytes, Plan]
"""By the JSON that they are of."""


def decode(
    headers: Mapping[bytes, bytes],
    body: bytes | memoryview,
    manifest: Manifest,
    plans: Plans | None = None,
) -> InferenceRequest:
    """Understand a request; `headers` are by lower-case name, `body` is as it was compressed from.

    In `plans` those of this manifest are kept: who asks in binary says the same again and again.
    Raises `InputInvalid` with what is wrong.
    """
    length = headers.get(JSON_LENGTH)
    if length is None:
        return _request(understand(inference_request.read(body), manifest), None)
    if not length.isdigit() or len(length) > len(str(len(body))) or int(length) > len(body):
        raise InputInvalid(
            f"Inference-Header-Content-Length must be between 0 and the body's {len(body)} bytes"
        )
    view, size = memoryview(body), int(length)
    if size == 0:
        if headers.get(b"content-type", b"").startswith(b"application/json"):
            raise InputInvalid("a raw request (Inference-Header-Content-Length: 0) is no JSON")
        return _raw(view, manifest)
    if size > _MOST_REPEATED_BYTES or plans is None:
        plan = understand(inference_request.read(view[:size]), manifest)
    else:
        plan = _repeated(bytes(view[:size]), manifest, plans)
    return _request(plan, view[size:])


def effort(headers: Mapping[bytes, bytes], body: bytes | memoryview) -> int:
    """Return how much there is to read, as bytes of JSON that would take as long.

    Numbers in binary are copied at most. Strings are looked at one by one.
    """
    size = min(json_length(headers, len(body)), len(body))
    if size < len(body) and b'"BYTES"' in bytes(body[:size]):
        return len(body)
    return size + (len(body) - size) // _COPIED_PER_PARSED


def json_length(headers: Mapping[bytes, bytes], otherwise: int = 0) -> int:
    """Return how many bytes of JSON a request says to have before its tensors in binary."""
    length = headers.get(JSON_LENGTH, b"")
    return int(length) if length.isdigit() and len(length) <= _DIGITS else otherwise


def _repeated(text: bytes, manifest: Manifest, plans: Plans) -> Plan:
    plan = plans.get(text)
    if plan is None:
        plan = understand(inference_request.read(text), manifest)
        if all(place.size is not None for place in plan.places):
            if len(plans) >= _MOST_PLANS:
                plans.clear()
            plans[text] = plan
    return plan


def _request(plan: Plan, blobs: memoryview | None) -> InferenceRequest:
    feed = {place.spec.name: _array(place, blobs) for place in plan.places}
    if blobs is not None and plan.size != len(blobs):
        raise InputInvalid(f"{len(blobs) - plan.size} bytes follow the last binary tensor")
    return InferenceRequest(
        feed, plan.outputs, plan.id, plan.timeout, plan.priority, plan.non_finite
    )


def _array(place: Place, blobs: memoryview | None) -> NDArray[Any]:
    spec, size = place.spec, place.size
    if size is None:
        return json_data.read(place.data, spec, place.shape, place.elements)
    if blobs is None:
        raise InputInvalid(
            f"{spec.name!r} has a binary_data_size, but the request has no "
            "Inference-Header-Content-Length"
        )
    if place.start + size > len(blobs):
        there = max(0, len(blobs) - place.start)
        raise InputInvalid(
            f"{spec.name!r} shall have {size} bytes, and the body has {there} for it"
        )
    return binary.read(blobs[place.start : place.start + size], spec, place.shape, place.elements)


def _raw(body: memoryview, manifest: Manifest) -> InferenceRequest:
    """Take a whole body for the only input, whose one open dimension follows from its size."""
    if len(manifest.inputs) != 1:
        raise InputInvalid("a raw request needs a model with one input")
    spec = manifest.inputs[0]
    outputs = [RequestedOutput(each.name, binary=True) for each in manifest.outputs]
    if spec.datatype == "BYTES":
        if any(size not in {-1, 1} for size in spec.shape):
            raise InputInvalid(f"a raw request is one string, and the model takes {spec}")
        shape = [1] * len(spec.shape)
        array = binary.strings([binary.text(bytes(body), spec)]).reshape(shape)
        return InferenceRequest({spec.name: array}, outputs)
    shape = _raw_shape(len(body), spec)
    array = binary.read(body, spec, shape, math.prod(shape))
    return InferenceRequest({spec.name: array}, outputs)


def _raw_shape(size: int, spec: TensorSpec) -> list[int]:
    shape = list(spec.shape)
    if shape.count(-1) > 1 and shape[0] == -1:
        shape[0] = 1
    if shape.count(-1) > 1:
        raise InputInvalid(f"a raw request has no shape, and {spec} leaves several sizes open")
    if -1 in shape:
        stride = math.prod(each for each in shape if each != -1)
        stride *= datatypes.NUMPY[spec.datatype].itemsize
        if not size:
            raise InputInvalid(f"a raw request without a body leaves the shape of {spec} open")
        shape[shape.index(-1)] = size // stride if stride else 0
    return shape
