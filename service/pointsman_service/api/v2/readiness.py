"""The protocol's questions about health: is the server alive, is it ready, is the model."""

import orjson

from pointsman_service import health
from pointsman_service.api.messages import Request, Response
from pointsman_service.api.v2 import addressing
from pointsman_service.errors import NotServing
from pointsman_service.service import Service


async def live(_service: Service, _request: Request) -> Response:
    """Answer 200 for as long as anything can be answered at all."""
    return Response(200, b'{"live":true}')


async def ready(service: Service, _request: Request) -> Response:
    """Answer 200 when a version answers and the process is not about to end, as `/health` does."""
    verdict = health.judge(service)
    if not verdict.ready:
        raise NotServing(f"the server is not ready: {verdict.degraded or verdict.status}")
    return Response(200, b'{"live":true,"ready":true}')


async def model_ready(
    service: Service, request: Request, model: str, version: str | None
) -> Response:
    """Answer 200 when the model, or the version of it, would answer now."""
    addressing.require_model(service, model)
    if version is None:
        await ready(service, request)
    servable = addressing.servable(service, model, version)
    return Response(200, orjson.dumps({"name": servable.version.manifest.model, "ready": True}))
