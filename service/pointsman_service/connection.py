"""A connection: uvicorn's, with a short way for predictions.

A `POST` to one of the hot targets is collected here and begun at once, with no task, no scope and
no messages in between; its answer is one write.
Everything else, and whatever is unusual about a prediction (another request is still under way on
the connection; the body is packed, chunked, too large, or waits for permission to come), goes to
the ASGI application as ever.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from pointsman_service import answer_head, declined_upgrade
from pointsman_service.api import messages
from pointsman_service.api.codec import Body, Codec
from pointsman_service.errors import CallerLeft
from pointsman_service.exchange import Exchange, is_usual
from pointsman_service.flow import Flow
from pointsman_service.keys import Admission
from pointsman_service.large_body import LargeBody
from pointsman_service.lingering_close import Ending, LingeringClose
from pointsman_service.receiver import Receiver
from pointsman_service.reception import Reception
from pointsman_service.service import Service

MAX_HEADERS = 100

_LARGE_BYTES = 64 << 10
"""From this size on, what is still to come of a body is received past the parser."""
_JOINED_BYTES = 64 << 10
"""Up to this size the head and the body of an answer are joined; copying more costs more."""


class Connection(Reception):
    """One client's connection to a service."""

    def __init__(
        self,
        service: Service,
        hot: Mapping[bytes, Codec],
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Take the short way for `POST`s to the targets in `hot`."""
        super().__init__(config, server_state, app_state, _loop)
        self._service = service
        self._hot = hot
        self._max_body = service.settings.max_body_bytes
        self._exchange: Exchange | None = None
        self._codec: Codec | None = None
        self._handed_over = False
        self._current: RequestResponseCycle | None = None
        self._unsent = 0
        self._body: list[bytes] = []
        self._length = 0
        self._headers: dict[bytes, bytes] = {}
        self._admission = Admission(service.api_keys)
        self._over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Begin, with a receiver, and a flow that is stricter than uvicorn's."""
        super().connection_made(transport)
        self.flow = Flow(transport, self.pipeline)
        transport.set_protocol(Receiver(self))

    def on_message_begin(self) -> None:
        """Begin to collect a request."""
        self._target = b""
        self._fields = []
        self._head_bytes = 0
        self._handed_over = False
        self._in_head = self._arriving = True
        self._since = self.loop.time()

    def on_url(self, url: bytes) -> None:
        """Collect the target, which may come in parts."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header; what comes behind a body is nobody's business."""
        if not self._handed_over:
            self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Choose the way that the request takes."""
        self._in_head = False
        self._codec = None
        if self._over or self.transport.is_closing():
            return
        if len(self._fields) > MAX_HEADERS:
            self._refuse(431, f"a request may have {MAX_HEADERS} headers")
            return
        codec = self._hot.get(self._target)
        if codec is not None:
            self._headers = dict(self._fields)
            if self._is_short():
                self._codec = codec
                self._body = []
                return
        self._hand_over()

    def on_body(self, body: bytes) -> None:
        """Collect a part of the body."""
        self._in_head = False
        if self._codec is not None:
            self._since = self.loop.time()
            self._body.append(body)
        elif self._handed_over:
            if not self.cycle.response_started:  # else it is only waited for its end
                self._since = self.loop.time()
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Begin what there is to do."""
        self._in_head = self._arriving = False
        if self._codec is not None:
            parts = self._body
            self._begin(self._codec, parts[0] if len(parts) == 1 else b"".join(parts))
        elif self._handed_over:
            super().on_message_complete()
            self._handed_over = False
        self._mixed = True  # what is left of the data belongs to the next

    def on_response_complete(self) -> None:
        """Be ready for the next request."""
        self._since = self.loop.time()
        self._current = None
        if not self._over:
            super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up what the client will not hear of any more."""
        exchange = self._exchange
        if exchange is not None and not exchange.response_complete:
            exchange.disconnected = True
            self._service.inference.end(exchange, CallerLeft("the caller has gone"))
        self._exchange = None
        self.large_body = None
        self._forsake()
        super().connection_lost(exc)
        self._current = None
        self.cycle = None  # type: ignore[assignment]

    def shutdown(self) -> None:
        """Close when there is nothing to answer any more, nor anything on its way here."""
        if not self._arriving:
            super().shutdown()

    def expire(self, now: float) -> None:
        """Close if nothing happens for too long; `now` is the event loop's time."""
        if self._over:
            return
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent, self._since = unsent, now
        waited = now - self._since
        if unsent:
            if waited > self.timeout_keep_alive:
                self.transport.abort()  # which does not wait until the client reads
        elif self._arriving and not self._is_behind:
            if waited > self._service.settings.receive_timeout:
                self._refuse(408, "the request takes too long to arrive")
        elif not self._is_busy and waited > self.timeout_keep_alive:
            self.transport.close()

    def answer(self, exchange: Exchange, failure: BaseException | None) -> None:
        """Write an answer, and be ready for the next request."""
        identifier = messages.identify(exchange.headers.get(b"x-request-id"))
        response = messages.refusal(failure, identifier) if failure else exchange.response
        keep_alive = exchange.keep_alive and not self._service.draining
        body = response.body
        head = b"%b%bcontent-length: %d\r\nx-request-id: %b\r\n\r\n" % (
            answer_head.prepared(exchange, response, self.server_state.default_headers),
            b"" if keep_alive else b"connection: close\r\n",
            len(body),
            identifier,
        )
        if len(body) <= _JOINED_BYTES:
            self.transport.write(head + body)
        else:
            self.transport.writelines((head, body))
        if self._service.listeners:
            self._service.tell(exchange.answered(response, identifier))
        # An idle connection keeps nothing of its last request.
        self._exchange = None
        cycle: object = self.cycle
        if cycle is exchange:
            self.cycle = None  # type: ignore[assignment]
        if not keep_alive:
            self.transport.close()
        elif self.pipeline or self.flow.read_paused:
            self.on_response_complete()
        else:
            self._since = self.loop.time()
            took = 0.0 if failure else exchange.computed - exchange.started
            self._service.stay_awake(self.loop, took)

    def _refuse(self, status: int, message: str) -> None:
        """Answer a request that is not understood or not waited for, and close.

        If an answer has begun already, to this request or to one before it, there is none.
        """
        if self._over or self.transport.is_closing():
            return
        if self._is_behind:
            self.transport.close()
            return
        if not self._is_answered:
            response = messages.error_response(status, message)
            self.transport.write(answer_head.last(response, self.server_state.default_headers))
        self._linger()

    def _linger(self) -> None:
        """Close, but let the last answer arrive first."""
        if not self._over:
            self._over = True
            self._forsake()
            LingeringClose(self.transport)

    def _close(self) -> None:
        """Close on behalf of an application, whose request may still be arriving."""
        if self._arriving:
            self._linger()
        else:
            self.transport.close()

    def _forsake(self) -> None:
        """Let an application know that nobody hears it any more."""
        if self._current is not None:  # the latest is another one where several wait
            self._current.disconnected = True
            self._current.message_event.set()

    @property
    def _is_behind(self) -> bool:
        """Whether the request that arrives has to wait for the answer to an earlier one."""
        return bool(self.pipeline) or (self._is_busy and not self._handed_over)

    @property
    def _is_answered(self) -> bool:
        """Whether the request that arrives has an answer already, or the beginning of one."""
        return self._handed_over and self.cycle.response_started

    @property
    def _is_busy(self) -> bool:
        """Whether a request is under way."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._current = cycle
        cycle.transport = Ending(self.transport, self._close)  # type: ignore[assignment] # all of it
        super()._start_asgi_task(cycle, app)

    def _begun_large(self) -> LargeBody | None:
        if self._codec is None or self._length <= _LARGE_BYTES:
            return None
        return LargeBody(self._length, self._body, self._codec.lead(self._headers))

    def _body_came(self, body: memoryview) -> None:
        if self._codec is not None:
            self._begin(self._codec, body)

    def _begin(self, codec: Codec, body: Body) -> None:
        self._body = []
        key = self._service.sticky_key(self._headers)
        exchange = Exchange(codec, self._headers, body, None, key)
        exchange.connection = self
        exchange.caller = 0 if self._mixed else id(self)  # who sends ahead would never let go
        exchange.target = self._target
        exchange.keep_alive = self.parser.should_keep_alive()
        self._exchange = exchange
        self.cycle = exchange  # type: ignore[assignment] # it has all that uvicorn asks of one
        self._service.inference.begin(exchange)

    def _is_short(self) -> bool:
        """Whether a request for a hot target takes the short way."""
        headers = self._headers
        self._length = int(headers.get(b"content-length", b"0"))
        return (
            not self._is_busy
            and is_usual(self.parser, headers)
            and self._length <= self._max_body
            and self._admission.admits(headers)
        )

    def _hand_over(self) -> None:
        """Tell uvicorn what has been collected, unless it comes once more."""
        if declined_upgrade.is_declined(self.parser):
            return
        self._handed_over = True
        super().on_message_begin()
        super().on_url(self._target)
        for name, value in self._fields:
            super().on_header(name, value)
        super().on_headers_complete()
