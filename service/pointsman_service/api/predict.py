"""`POST /predict`, and how any prediction is answered that comes through the ASGI application."""

import asyncio
from collections.abc import Mapping

from pointsman_service.api.codec import Call, Codec
from pointsman_service.api.messages import Request, Response
from pointsman_service.api.named_tensors import NamedTensors
from pointsman_service.errors import CallerLeft, NotServing
from pointsman_service.service import Service

NAMED_TENSORS = NamedTensors()


async def predict(service: Service, request: Request) -> Response:
    """Answer with the outputs of whichever version serves when the request is complete."""
    return await answer(service, request, NAMED_TENSORS, await admitted(service, request))


async def admitted(service: Service, request: Request) -> bytes:
    """Return the body of a request for a prediction, once its key has been looked at."""
    if service.api_keys:
        service.api_keys.require(request.headers)
    return await request.body(service.settings.max_body_bytes)


async def answer(
    service: Service, request: Request, codec: Codec, body: bytes, version: str | None = None
) -> Response:
    """Answer a prediction by its codec; all that come through the ASGI application end here."""
    key = service.sticky_key(request.headers)
    call = _Awaited(codec, request.headers, body, version, key)
    service.inference.begin(call)
    waits = asyncio.create_task(_give_up(service, request, call))
    try:
        return await call.answered
    except asyncio.CancelledError:
        service.inference.end(call, NotServing("the service ended before the answer was ready"))
        raise
    finally:
        waits.cancel()
        request.judged_by = call.judged_by


async def _give_up(service: Service, request: Request, call: Call) -> None:
    """End a call when its caller leaves."""
    if await request.left():
        service.inference.end(call, CallerLeft("the caller has gone"))


class _Awaited(Call):
    """A call that a task waits for."""

    def __init__(
        self,
        codec: Codec,
        headers: Mapping[bytes, bytes],
        body: bytes,
        version: str | None,
        key: bytes | None,
    ) -> None:
        super().__init__(codec, headers, body, version, key)
        self.answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    def finish(self, failure: BaseException | None) -> None:
        """Wake the task."""
        if self.answered.done():
            return
        if failure is None:
            self.answered.set_result(self.response)
        else:
            self.answered.set_exception(failure)
