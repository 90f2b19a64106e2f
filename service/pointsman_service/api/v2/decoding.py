"""From the bytes of an inference request to what the model is fed; pure.

Which form a body has is told by `Inference-Header-Content-Length` alone: how many leading bytes
are JSON. Binary tensors follow it in the order of their inputs; a length of 0 means that the
whole body is the only input.
"""

import math
from collections.abc import Mapping, Sequence

from pointsman import datatypes
from pointsman.manifest import Manifest, TensorSpec
from pointsman_service.api.v2 import binary, inference_request, json_data
from pointsman_service.api.v2.inference_request import (
    InferenceRequest,
    Parameters,
    RequestedOutput,
    WireInput,
    WireOutput,
    WireRequest,
    count,
    flag,
)
from pointsman_service.errors import InputInvalid
from pointsman_service.tensors import Arrays, fits

JSON_LENGTH = b"inference-header-content-length"
NON_FINITE = ("token", "null")

_MICROSECONDS = 1e-6
_DIGITS = 18
_COPIED_PER_PARSED = 64
"""Memory is copied that many times faster than JSON is parsed, at least."""
_MAX_CLASSES = 10_000
_MOST_OF_NOTHING = 1 << 24
"""What an empty tensor's other sizes may multiply to: nothing has to be sent to make them large,
and a model that reduces the empty dimension would fill as much memory with zeros."""
_SHOWN_CHARACTERS = 80


def decode(
    headers: Mapping[bytes, bytes], body: bytes | memoryview, manifest: Manifest
) -> InferenceRequest:
    """Understand a request; `headers` are by lower-case name, `body` is as it was compressed from.

    Raises `InputInvalid` with what is wrong.
    """
    length = headers.get(JSON_LENGTH)
    if length is None:
        return _request(inference_request.read(body), None, manifest)
    if not length.isdigit() or len(length) > len(str(len(body))) or int(length) > len(body):
        raise InputInvalid(
            f"Inference-Header-Content-Length must be between 0 and the body's {len(body)} bytes"
        )
    view = memoryview(body)
    if int(length) == 0:
        if headers.get(b"content-type", b"").startswith(b"application/json"):
            raise InputInvalid("a raw request (Inference-Header-Content-Length: 0) is no JSON")
        return _raw(view, manifest)
    document = inference_request.read(view[: int(length)])
    return _request(document, view[int(length) :], manifest)


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


def _request(
    document: WireRequest, blobs: memoryview | None, manifest: Manifest
) -> InferenceRequest:
    request = InferenceRequest(
        feed=_feed(document.inputs, blobs, manifest.inputs),
        outputs=_outputs(document.outputs, document.parameters, manifest.outputs),
        id=document.id or "",
    )
    if document.parameters:
        _schedule(request, document.parameters)
    return request


def _schedule(request: InferenceRequest, parameters: Parameters) -> None:
    timeout = count(parameters, "timeout")
    request.timeout = timeout * _MICROSECONDS if timeout else None
    request.priority = count(parameters, "priority") or 0
    non_finite = parameters.get("non_finite") or ""
    if non_finite and non_finite not in NON_FINITE:
        raise InputInvalid('Invalid value for \'non_finite\': expected "token" or "null"')
    request.non_finite = str(non_finite)


def _feed(
    inputs: Sequence[WireInput], blobs: memoryview | None, signature: Sequence[TensorSpec]
) -> Arrays:
    specs = {spec.name: spec for spec in signature}
    feed: Arrays = {}
    taken = 0
    for given in inputs:
        spec = specs.get(given.name)
        if spec is None:
            raise _stranger("input", given.name, signature)
        if given.name in feed:
            raise InputInvalid(f"input {given.name!r} already exists in request")
        elements = _elements(given, spec)
        size = count(given.parameters, "binary_data_size") if given.parameters else None
        if size is None:
            if not given.has_data:
                raise InputInvalid(f"the input {given.name!r} has no data")
            feed[given.name] = json_data.read(given.data, spec, given.shape, elements)
            continue
        blob = _blob(given, blobs, taken, size)
        feed[given.name] = binary.read(blob, spec, given.shape, elements)
        taken += size
    if blobs is not None and taken != len(blobs):
        raise InputInvalid(f"{len(blobs) - taken} bytes follow the last binary tensor")
    if len(feed) != len(signature):
        missing = next(name for name in specs if name not in feed)
        raise InputInvalid(f"the input {missing!r} is missing")
    return feed if len(feed) == 1 else {name: feed[name] for name in specs}


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


def _blob(given: WireInput, blobs: memoryview | None, start: int, size: int) -> memoryview:
    if blobs is None:
        raise InputInvalid(
            f"{given.name!r} has a binary_data_size, but the request has no "
            "Inference-Header-Content-Length"
        )
    if given.has_data:
        raise InputInvalid(f"{given.name!r} has both data and a binary_data_size")
    if start + size > len(blobs):
        raise InputInvalid(
            f"{given.name!r} shall have {size} bytes, and the body has {len(blobs) - start} for it"
        )
    return blobs[start : start + size]


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


def _stranger(kind: str, name: str, signature: Sequence[TensorSpec]) -> InputInvalid:
    known = ", ".join(repr(spec.name) for spec in signature)
    return InputInvalid(f"there is no {kind} {name[:_SHOWN_CHARACTERS]!r}: the model has {known}")
