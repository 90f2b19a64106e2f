"""What a transport sees of a connection: what has come goes to where it belongs, without a detour.

That is memory which all connections share, as each parses at once what is in it; and for what is
still to come of a large body, the body. (uvicorn's protocol receives bytes, and a new object for
every piece; event loops decide by its class that it shall.)
"""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pointsman_service.connection import Connection

_SHARED = memoryview(bytearray(16 << 10))


class Receiver(asyncio.BufferedProtocol):
    """Receives for one connection, from the moment it is made."""

    __slots__ = ("_connection",)

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Return where the next bytes belong."""
        large = self._connection.large_body
        return _SHARED if large is None else large.rest

    def buffer_updated(self, nbytes: int) -> None:
        """Take what has come."""
        if self._connection.large_body is None:
            self._connection.data_received(_SHARED[:nbytes])
        else:
            self._connection.large_body_grew(nbytes)

    def eof_received(self) -> None:
        """Close: no more will come."""
        self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._connection.resume_writing()
