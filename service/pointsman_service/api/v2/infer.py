"""`POST /v2/models/M[/versions/V]/infer`: the protocol's codec, and the route that uses it."""

from collections.abc import Mapping

from pointsman_service.api import compression, messages, predict
from pointsman_service.api.codec import Body, Call
from pointsman_service.api.messages import Request, Response
from pointsman_service.api.v2 import addressing
from pointsman_service.api.v2.decoding import decode, effort, json_length
from pointsman_service.api.v2.encoding import JSON, JSON_HEADERS, Form, encode
from pointsman_service.service import Service
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays


class OpenInference:
    """The codec of the Open Inference Protocol."""

    def effort(self, headers: Mapping[bytes, bytes], body: Body) -> int:
        """Return how much there is to read: numbers in binary are taken as they are."""
        return effort(headers, body)

    def lead(self, headers: Mapping[bytes, bytes]) -> int:
        """Return the length of the JSON, as far as a header tells."""
        return json_length(headers)

    def read(self, call: Call, servable: Servable) -> Arrays:
        """Return the inputs by name, and note what of the outputs is asked for."""
        plans = servable.prepared.setdefault(decode, {})
        request = decode(call.headers, call.body, servable.version.manifest, plans)
        if request.timeout is not None:
            deadline = call.arrived + request.timeout
            call.deadline = min(deadline, call.deadline or deadline)
        if request.priority:
            call.priority = request.priority
        call.wanted = request
        return request.feed

    def write(self, call: Call, servable: Servable, outputs: Arrays) -> Response:
        """Return what was asked for of the outputs, as JSON, as binary tensors, or as both."""
        request = call.wanted
        if not request.id:
            request.id = messages.identify(call.headers.get(b"x-request-id")).decode()
        headers, body = encode(request, outputs, servable.once(Form))
        response = Response(200, body)
        if headers is not JSON_HEADERS:
            (_, response.content_type), length = headers
            response.headers.append(length)
        if accepted := call.headers.get(b"accept-encoding"):
            _compress(response, accepted)
        return response


CODEC = OpenInference()


def _compress(response: Response, accepted: bytes) -> None:
    dense = response.content_type != JSON
    coding = compression.wanted(accepted, len(response.body), dense=dense)
    if coding is not None:
        response.body = compression.compress(response.body, coding)
        response.headers.append((b"content-encoding", coding))


async def infer(service: Service, request: Request, model: str, version: str | None) -> Response:
    """Answer with the outputs of a version, or of whichever serves."""
    addressing.require_model(service, model)
    name = None if version is None else addressing.version_of(service, model, version)
    body = await predict.admitted(service, request)
    return await predict.answer(service, request, CODEC, body, name)
