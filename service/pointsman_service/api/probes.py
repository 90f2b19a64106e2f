"""`/health` and `/livez`: for platforms that route, and for those that restart."""

import orjson

from pointsman_service import health
from pointsman_service.api.messages import Request, Response
from pointsman_service.service import Service


async def ready(service: Service, request: Request) -> Response:
    """Answer 200 exactly when a version answers here, and is the one the query asks for."""
    verdict = health.judge(service)
    body = health.describe(service, verdict)
    mismatch = health.expectation(service, request.query)
    if mismatch:
        body["reason"] = mismatch
    return Response(200 if verdict.ready and not mismatch else 503, orjson.dumps(body))


async def live(_service: Service, _request: Request) -> Response:
    """Answer 200 for as long as anything can be answered at all."""
    return Response(200, b'{"status":"alive"}')
