"""`POST /v2/models/M[/versions/V]/infer`: the protocol's codec, and the route that uses it."""

import secrets

from pointsman_service.api import compression, predict
from pointsman_service.api.codec import Call
from pointsman_service.api.messages import Request, Response
from pointsman_service.api.v2 import addressing
from pointsman_service.api.v2.decoding import decode
from pointsman_service.api.v2.encoding import JSON, encode
from pointsman_service.service import Service
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays


class OpenInference:
    """The codec of the Open Inference Protocol."""

    def read(self, call: Call, servable: Servable) -> Arrays:
        """Return the inputs by name, and note what of the outputs is asked for."""
        request = decode(call.headers, call.body, servable.version.manifest)
        if request.timeout is not None:
            call.deadline = call.arrived + request.timeout
        if request.priority:
            call.priority = request.priority
        call.wanted = request
        return request.feed

    def write(self, call: Call, servable: Servable, outputs: Arrays) -> Response:
        """Return what was asked for of the outputs, as JSON, as binary tensors, or as both."""
        request = call.wanted
        if not request.id:
            request.id = secrets.token_hex(8)
        ((_, kind), *others), body = encode(request, outputs, servable.version)
        accepted = call.headers.get(b"accept-encoding", b"")
        coding = compression.wanted(accepted, len(body), dense=kind != JSON)
        if coding is not None:
            body = compression.compress(body, coding)
            others.append((b"content-encoding", coding))
        return Response(200, body, kind, others)


CODEC = OpenInference()


async def infer(service: Service, request: Request, model: str, version: str | None) -> Response:
    """Answer with the outputs of a version, or of whichever serves."""
    addressing.require_model(service, model)
    name = None if version is None else addressing.version_of(service, model, version)
    body = await predict.admitted(service, request)
    return await predict.answer(service, request, CODEC, body, name)
