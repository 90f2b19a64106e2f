"""Which path under `/v2` is answered by what."""

from collections.abc import Awaitable, Callable

from pointsman_service.api.messages import Request, Response
from pointsman_service.api.v2 import descriptions, infer, readiness, repository
from pointsman_service.service import Service

Handler = Callable[[Service, Request], Awaitable[Response]]
OfModel = Callable[[Service, Request, str, str | None], Awaitable[Response]]
OfRepository = Callable[[Service, Request, str], Awaitable[Response]]
Route = tuple[tuple[str, ...], Handler]

PREFIX = "/v2"
_READ = ("GET", "HEAD")
_WRITE = ("POST",)

FIXED: dict[str, Route] = {
    "/v2": (_READ, descriptions.server),
    "/v2/": (_READ, descriptions.server),
    "/v2/health/live": (_READ, readiness.live),
    "/v2/health/ready": (_READ, readiness.ready),
    "/v2/models": (_READ, descriptions.models),
    "/v2/models/stats": (_READ, descriptions.all_statistics),
    "/v2/repository/index": (_WRITE, repository.index),
}
# By what follows the model, or its version.
OF_MODEL: dict[str, tuple[tuple[str, ...], OfModel]] = {
    "": (_READ, descriptions.model),
    "ready": (_READ, readiness.model_ready),
    "stats": (_READ, descriptions.statistics),
    "config": (_READ, descriptions.configuration),
    "infer": (_WRITE, infer.infer),
}
OF_REPOSITORY: dict[str, OfRepository] = {"load": repository.load, "unload": repository.unload}


def find(path: str) -> Route | None:
    """Return the methods and the handler of a decoded path; None where there is nothing."""
    if path in FIXED:
        return FIXED[path]
    match path.split("/")[2:]:
        case ["models", model, "versions", version, *rest] if model and version:
            return _of_model(rest, model, version)
        case ["models", model, *rest] if model:
            return _of_model(rest, model, None)
        case ["repository", "models", model, action] if model and action in OF_REPOSITORY:
            return _WRITE, lambda service, request: OF_REPOSITORY[action](service, request, model)
    return None


def _of_model(rest: list[str], model: str, version: str | None) -> Route | None:
    if len(rest) > 1 or rest == [""]:
        return None
    found = OF_MODEL.get(rest[0] if rest else "")
    if found is None:
        return None
    methods, handler = found

    def handle(service: Service, request: Request) -> Awaitable[Response]:
        return handler(service, request, model, version)

    return methods, handle
