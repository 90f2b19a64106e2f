"""The front: an ASGI application that answers the hot routes itself and passes the rest on.

A framework's routing costs more than a small model does, and importing one more than loading
it; so both happen only for requests that need them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from pointsman_service.answered import Answered
from pointsman_service.api import messages, metrics, predict, probes
from pointsman_service.api.codec import Codec
from pointsman_service.api.messages import (
    Header,
    Message,
    Receive,
    Request,
    Response,
    Scope,
    Send,
)
from pointsman_service.api.v2 import infer, routes
from pointsman_service.errors import NotServing
from pointsman_service.runtime import memory
from pointsman_service.service import Service

Handler = Callable[[Service, Request], Awaitable[Response]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_READ = ("GET", "HEAD")
_ROUTES: dict[str, tuple[tuple[str, ...], Handler]] = {
    "/predict": (("POST",), predict.predict),
    "/health": (_READ, probes.ready),
    "/livez": (_READ, probes.live),
    "/metrics": (_READ, metrics.metrics),
}
_DOCUMENTATION = ("/docs", "/redoc", "/openapi.json")


class Front:
    """The ASGI application of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._documentation: Application | None = None
        self.hot: dict[bytes, Codec] = {
            b"/predict": predict.NAMED_TENSORS,
            b"/v2/models/%b/infer" % service.settings.model.encode(): infer.CODEC,
        }
        """The targets to which most requests go, and which need nothing but their codec."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or take part in the process's life cycle."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        request = Request(scope, receive)
        identifier = request.identifier
        if self._service.listeners:
            send = self._heard(request, identifier, send)
        if path.startswith(_DOCUMENTATION):
            behind = await self._behind()
            await behind(scope, receive, self._with_headers(identifier, send))
            return
        methods, handler = _route(path) or ((scope["method"],), _nothing_there)
        if scope["method"] in methods:
            response = await self._answer(handler, request, identifier)
        else:
            response = messages.error_response(405, f"{path} takes {methods[0]}")
            response.headers.append((b"allow", ", ".join(methods).encode()))
        await messages.respond(response, send, self._headers(identifier, request.judged_by))

    async def _answer(self, handler: Handler, request: Request, identifier: bytes) -> Response:
        try:
            return await handler(self._service, request)
        except asyncio.CancelledError:
            # The process ends and will not wait any longer; this is the request's last word.
            self._service.abandoned += 1
            return messages.failure(NotServing("the service ended before the answer was ready"))
        except Exception as error:  # noqa: BLE001 — `refusal` logs what nobody expects
            return messages.refusal(error, identifier)

    def _headers(self, identifier: bytes, judged_by: Sequence[Header] = ()) -> list[Header]:
        """Return what every answer carries: its id, and which version judged it or serves."""
        stable = self._service.router.stable
        headers = [(b"x-request-id", identifier)]
        headers += judged_by or (stable.headers if stable else ())
        if self._service.draining:
            # So that clients bring their next request to another instance.
            headers.append((b"connection", b"close"))
        return headers

    def _with_headers(self, identifier: bytes, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers(identifier)]
            await send(message)

        return sending

    def _heard(self, request: Request, identifier: bytes, send: Send) -> Send:
        """Tell the service's listeners when the answer begins."""
        arrived = time.perf_counter()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                version = dict(message["headers"]).get(b"x-model-version", b"")
                answered = Answered(
                    request.method,
                    request.raw_path,
                    message["status"],
                    identifier.decode(),
                    version.decode(),
                    time.perf_counter() - arrived,
                    request.headers,
                )
                self._service.tell(answered)
            await send(message)

        return sending

    async def _behind(self) -> Application:
        if self._documentation is None:
            # In a thread: the import takes longer than any answer may.
            self._documentation = await asyncio.to_thread(_documentation, self._service)
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


def _route(path: str) -> tuple[tuple[str, ...], Handler] | None:
    return routes.find(path) if path.startswith(routes.PREFIX) else _ROUTES.get(path)


async def _nothing_there(_service: Service, _request: Request) -> Response:
    return messages.error_response(404, "there is nothing at this path; /docs says what there is")


def _documentation(service: Service) -> Application:
    from pointsman_service.api.documentation import application

    app = application(service)
    memory.settle()
    return app
