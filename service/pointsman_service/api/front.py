"""The front: an ASGI application that answers the hot routes itself and passes the rest on.

A framework's routing costs more than a small model does, and importing one more than loading
it; so both happen only for requests that need them.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence

from pointsman_service.api import messages, metrics, predict, probes
from pointsman_service.api.messages import (
    Header,
    Message,
    Receive,
    Request,
    Response,
    Scope,
    Send,
)
from pointsman_service.errors import RequestFailed
from pointsman_service.service import Service

Handler = Callable[[Service, Request], Awaitable[Response]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_ROUTES: dict[str, tuple[str, Handler]] = {
    "/predict": ("POST", predict.predict),
    "/health": ("GET", probes.ready),
    "/livez": ("GET", probes.live),
    "/metrics": ("GET", metrics.metrics),
}

log = logging.getLogger(__name__)


class Front:
    """The ASGI application of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._documentation: Application | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or take part in the process's life cycle."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = _ROUTES.get(scope["path"])
        if route is None:
            await self._behind()(scope, receive, self._with_headers(scope, send))
            return
        method, handler = route
        if scope["method"] == method or (scope["method"] == "HEAD" and method == "GET"):
            response = await self._answer(handler, Request(scope, receive))
        else:
            response = messages.error_response(405, f"{scope['path']} takes {method}")
            response.headers.append((b"allow", method.encode()))
        await messages.respond(response, send, self._headers(scope, response.model))

    async def _answer(self, handler: Handler, request: Request) -> Response:
        try:
            return await handler(self._service, request)
        except RequestFailed as error:
            return messages.failure(error)
        except Exception:
            log.exception("a request failed")
            return messages.error_response(500, "an error on the server; its log says more")

    def _headers(self, scope: Scope, computed_by: Sequence[Header] = ()) -> list[Header]:
        """Return what every answer carries: who it is, and which version computed or serves."""
        stable = self._service.router.stable
        headers = [(b"x-request-id", messages.request_id(scope))]
        headers += computed_by or (stable.headers if stable else ())
        if self._service.draining:
            # So that clients bring their next request to another instance.
            headers.append((b"connection", b"close"))
        return headers

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers(scope)]
            await send(message)

        return sending

    def _behind(self) -> Application:
        if self._documentation is None:
            from pointsman_service.api.documentation import application

            self._documentation = application(self._service)
        return self._documentation

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._service.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._service.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return
