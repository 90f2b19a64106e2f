"""The process: one socket, one event loop, and an orderly end.

On SIGTERM or SIGINT readiness goes false first, and for a grace period requests are still
accepted, because routers take a moment to notice; then the port closes and what is in flight
has `drain_timeout` to finish. A second signal ends at once.
"""

import asyncio
import math
import socket
from types import FrameType

import uvicorn

from pointsman.errors import PointsmanError
from pointsman_service.api.front import Front
from pointsman_service.service import Service
from pointsman_service.settings import Settings

_BACKLOG = 2048


class PortTaken(PointsmanError):
    """Something else listens where this service should."""


class DrainingServer(uvicorn.Server):
    """A server that announces its end before it begins to end."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain, or, when told again, end at once."""
        del sig, frame  # every signal that ends the process ends it in the same order
        if self._service.draining:
            self.force_exit = True
            self.should_exit = True
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # before the loop has begun there is nothing to drain
            self.should_exit = True
            return
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
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}",
            "End what listens there, or choose another port with PORT.",
        ) from error
    listener.listen(_BACKLOG)
    listener.set_inheritable(True)
    return listener


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve until told to end."""
    service = Service(settings)
    config = uvicorn.Config(
        Front(service),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, math.ceil(settings.drain_timeout)),
    )
    DrainingServer(config, service).run(sockets=[listener])
