"""The routes that describe: the server, its models, one of them, and what it has been asked."""

import orjson

from pointsman_service.api.messages import Request, Response
from pointsman_service.api.v2 import (
    addressing,
    metadata,
    model_configuration,
    model_statistics,
)
from pointsman_service.service import Service


async def server(service: Service, _request: Request) -> Response:
    """Answer with the server's metadata."""
    document = metadata.server(repository=bool(service.admin_keys))
    return Response(200, orjson.dumps(document))


async def models(service: Service, _request: Request) -> Response:
    """Answer with the names of all models, of which there is one."""
    return Response(200, orjson.dumps({"models": [service.settings.model]}))


async def model(service: Service, _request: Request, model: str, version: str | None) -> Response:
    """Answer with the metadata of the model, or of one version."""
    servable = addressing.servable(service, model, version)
    document = metadata.model(servable.version, addressing.ready_versions(service))
    return Response(200, orjson.dumps(document))


async def configuration(
    service: Service, _request: Request, model: str, version: str | None
) -> Response:
    """Answer with the configuration of the model, or of one version."""
    servable = addressing.servable(service, model, version)
    return Response(200, orjson.dumps(model_configuration.document(servable.version)))


async def statistics(
    service: Service, _request: Request, model: str, version: str | None
) -> Response:
    """Answer with the statistics of the version in force, or of another one."""
    servable = addressing.servable(service, model, version)
    return Response(200, orjson.dumps(model_statistics.document([servable])))


async def all_statistics(service: Service, _request: Request) -> Response:
    """Answer with the statistics of every version that has been here lately."""
    return Response(200, orjson.dumps(model_statistics.document(service.manager.residents)))
