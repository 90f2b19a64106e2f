"""`POST /predict`: named tensors as JSON in, named tensors as JSON out."""

import time

import orjson

from pointsman_service import tensors
from pointsman_service.api.messages import Request, Response
from pointsman_service.errors import InputInvalid
from pointsman_service.service import Service


async def predict(service: Service, request: Request) -> Response:
    """Answer with the outputs of whichever version serves when the request is complete."""
    arrived = time.perf_counter()
    document = _document(await request.body(service.settings.max_body_bytes))
    with service.router.claim() as servable:
        version = servable.version
        try:
            feed = tensors.parse(document, version.manifest.inputs)
        except InputInvalid:
            servable.statistics.rejected += 1
            raise
        outputs = await servable.infer(feed, service.executor, arrived)
    body = orjson.dumps(
        {
            "outputs": tensors.to_json(outputs),
            "model": {
                "name": version.manifest.model,
                "version": version.manifest.version,
                "digest": version.digest,
            },
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )
    return Response(200, body, model=servable.headers)


def _document(body: bytes) -> object:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputInvalid(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict) or "inputs" not in document:
        raise InputInvalid('the body must be an object with "inputs"')
    return document["inputs"]
