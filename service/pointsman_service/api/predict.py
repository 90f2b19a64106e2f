"""`POST /predict`: named tensors as JSON in, named tensors as JSON out.

Nothing that takes long happens on the event loop: large bodies are parsed, and large answers
written, in the threads that also compute.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from pointsman.manifest import Version
from pointsman_service import tensors
from pointsman_service.api.messages import Request, Response
from pointsman_service.errors import InputInvalid
from pointsman_service.service import Service
from pointsman_service.tensors import Arrays

_INLINE_BYTES = 64 << 10
"""JSON of this size is parsed, or written, in less than a millisecond."""

Result = TypeVar("Result")


async def predict(service: Service, request: Request) -> Response:
    """Answer with the outputs of whichever version serves when the request is complete."""
    body = await request.body(service.settings.max_body_bytes)
    arrived = time.perf_counter()
    with service.router.claim() as servable:
        version = servable.version
        request.judged_by = servable.headers
        feed = await _apart(service, len(body), _parsed, body, version)
        computed = await servable.infer(feed, service.executor, arrived)
        size = sum(array.nbytes for array in computed.outputs.values())
        answer = await _apart(service, size, _written, computed.outputs, version)
        servable.answered(computed)
    return Response(200, answer)


async def _apart(
    service: Service, size: int, function: Callable[..., Result], *arguments: Any
) -> Result:
    """Call `function` here if it deals with few bytes, else in a thread."""
    if size <= _INLINE_BYTES:
        return function(*arguments)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(service.executor, function, *arguments)


def _parsed(body: bytes, version: Version) -> Arrays:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputInvalid(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict) or "inputs" not in document:
        raise InputInvalid('the body must be an object with "inputs"')
    return tensors.parse(document["inputs"], version.manifest.inputs)


def _written(outputs: Arrays, version: Version) -> bytes:
    return orjson.dumps(
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
