"""`POST /predict`: named tensors as JSON in, named tensors as JSON or as bytes out."""

from functools import partial

import orjson

from pointsman_service import tensors
from pointsman_service.api import raw_answer
from pointsman_service.api.codec import Call, Codec
from pointsman_service.api.messages import Request, Response
from pointsman_service.errors import InputInvalid
from pointsman_service.service import Service
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays


class NamedTensors:
    """The codec of `/predict`."""

    def read(self, call: Call, servable: Servable) -> Arrays:
        """Return the inputs by name."""
        try:
            document = orjson.loads(call.body)
        except orjson.JSONDecodeError as error:
            raise InputInvalid(f"the body is not JSON: {error}") from error
        if not isinstance(document, dict) or "inputs" not in document:
            raise InputInvalid('the body must be an object with "inputs"')
        return tensors.parse(document["inputs"], servable.version.manifest.inputs)

    def write(self, call: Call, servable: Servable, outputs: Arrays) -> Response:
        """Return the outputs by name, and who computed them; or their bytes, if that is wanted."""
        if raw_answer.is_accepted(call.headers.get(b"accept", b"")):
            return raw_answer.write(outputs, servable.version)
        manifest = servable.version.manifest
        model = {
            "name": manifest.model,
            "version": manifest.version,
            "digest": servable.version.digest,
        }
        document = {"outputs": tensors.to_json(outputs), "model": model}
        return Response(200, orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))


_NAMED_TENSORS = NamedTensors()


async def predict(service: Service, request: Request) -> Response:
    """Answer with the outputs of whichever version serves when the request is complete."""
    body = await request.body(service.settings.max_body_bytes)
    return await answer(service, request, _NAMED_TENSORS, Call(request.headers, body))


async def answer(service: Service, request: Request, codec: Codec, call: Call) -> Response:
    """Answer one call by its codec; every route for predictions ends here."""
    with service.inference.claim(version=call.version) as servable:
        request.judged_by = servable.headers
        return await service.inference.answer(
            servable, len(call.body), partial(codec.read, call), partial(codec.write, call)
        )
