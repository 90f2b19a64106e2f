"""The routes that describe: the server, its models, and one of them."""

import orjson

from pointsman_service.api.messages import Request, Response
from pointsman_service.api.v2 import addressing, metadata
from pointsman_service.service import Service


async def server(_service: Service, _request: Request) -> Response:
    """Answer with the server's metadata."""
    return Response(200, orjson.dumps(metadata.server(repository=False)))


async def models(service: Service, _request: Request) -> Response:
    """Answer with the names of all models, of which there is one."""
    return Response(200, orjson.dumps({"models": [service.settings.model]}))


async def model(service: Service, _request: Request, model: str, version: str | None) -> Response:
    """Answer with the metadata of the model, or of one version."""
    servable = addressing.servable(service, model, version)
    document = metadata.model(servable.version, addressing.ready_versions(service))
    return Response(200, orjson.dumps(document))
