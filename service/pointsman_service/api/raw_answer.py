"""Outputs of `/predict` as bytes, for clients that accept `application/octet-stream`.

The only output of a model is its bytes and nothing else: little-endian, row-major, strings each
after their length as four bytes. Headers name it and tell its datatype and shape. Several
outputs come in the binary form of the Open Inference Protocol.
"""

from urllib.parse import quote

from pointsman.manifest import Version
from pointsman_service.api import messages
from pointsman_service.api.messages import Response
from pointsman_service.api.v2 import binary
from pointsman_service.api.v2.encoding import BINARY, Form, encode
from pointsman_service.api.v2.inference_request import InferenceRequest, RequestedOutput
from pointsman_service.tensors import Arrays

_JSON = (b"application/json", b"application/*", b"*/*")


def is_accepted(accept: bytes) -> bool:
    """Tell whether an `Accept` header prefers bytes to JSON; of equals the first is preferred."""
    if BINARY not in accept.lower():
        return False
    # By weight, and of equal ones by place: the first in the header is the highest.
    ranked = [
        (weight, -place, media)
        for place, (media, weight) in enumerate(map(_weighted, accept.lower().split(b",")))
        if weight > 0 and media in (BINARY, *_JSON)
    ]
    return bool(ranked) and max(ranked)[2] == BINARY


def write(outputs: Arrays, version: Version) -> Response:
    """Return the answer in bytes."""
    specs = version.manifest.outputs
    if len(specs) != 1:
        asked = [RequestedOutput(spec.name, binary=True) for spec in specs]
        request = InferenceRequest({}, asked, messages.identify(None).decode())
        ((_, kind), *headers), body = encode(request, outputs, Form(version))
        return Response(200, body, kind, headers)
    array = outputs[specs[0].name]
    headers = [
        # A name may be any text, and a header's value may not.
        (b"x-tensor-name", quote(specs[0].name, safe="").encode()),
        (b"x-tensor-datatype", specs[0].datatype.encode()),
        (b"x-tensor-shape", ",".join(map(str, array.shape)).encode()),
    ]
    return Response(200, bytes(binary.write(array)), BINARY, headers)


def _weighted(text: bytes) -> tuple[bytes, float]:
    media, *parameters = [part.strip() for part in text.split(b";")]
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"q":
            try:
                return media, float(value)
            except ValueError:
                return media, 0.0
    return media, 1.0
