"""The process: one socket, one event loop, and an orderly end.

On SIGTERM or SIGINT readiness goes false first, and for a grace period requests are still
accepted, because routers take a moment to notice; then the port closes and what is in flight
has `drain_timeout` to finish. A second signal ends at once.
"""

import asyncio
import math
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType

import uvicorn

from pointsman.errors import PointsmanError
from pointsman_service.api.front import Front
from pointsman_service.connection import Connection
from pointsman_service.service import Service
from pointsman_service.settings import Settings

_BACKLOG = 2048
# Longer than the 60 s for which the proxies of Fly.io and Railway keep an idle connection: the
# one who closes first must not be the one who may be sent a request at that moment.
_KEEP_ALIVE_SECONDS = 75
_TICKS_PER_SECOND = 10


class PortTaken(PointsmanError):
    """Something else listens where this service should."""


class _Errands(ThreadPoolExecutor):
    """The event loop's threads; its end does not wait for a store that hangs."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 — the base's signature
        super().shutdown(wait=False, cancel_futures=True)


class DrainingServer(uvicorn.Server):
    """A server that announces its end before it begins to end."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._told_to_end = False

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to end; signals are handled from here on."""
        asyncio.get_running_loop().set_default_executor(_Errands())
        await super().serve(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Once a second, close connections on which nothing happens; return whether to end."""
        if counter % _TICKS_PER_SECOND == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.expire(now)
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain, or, when told again, end at once."""
        del sig, frame  # every signal that ends the process ends it in the same order
        if self._told_to_end:
            self.force_exit = True
            self.should_exit = True
            return
        self._told_to_end = True
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(self._drain, loop)

    def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        self._service.drain()
        loop.call_later(self._service.settings.drain_grace, self._end)

    def _end(self) -> None:
        self.should_exit = True


def listen(settings: Settings) -> socket.socket:
    """Open the port; raises `PortTaken` when that cannot be done."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}",
            "End what listens there, or choose another port with PORT.",
        ) from error
    return listener


def run(service: Service, listener: socket.socket) -> bool:
    """Serve until told to end; return whether every request got its answer."""
    front = Front(service)
    config = uvicorn.Config(
        front,
        http=partial(Connection, service, front.hot),  # type: ignore[arg-type] # it is called only
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody here asks for the client's address
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, math.ceil(service.settings.drain_timeout)),
    )
    server = DrainingServer(config, service)
    server.run(sockets=[listener])
    return not server.force_exit and not service.abandoned
