"""A large body of known size: from the socket into one buffer, past the parser.

The parser would hand on copies of its parts, to be joined once more: for the image of a
convolutional net that takes a tenth of the time that the net does. While the rest of such a body
is awaited, this takes the connection's place at the transport; every other event is passed on.

The buffer grows with what has come: who only announces a large body gets little memory.
"""

import asyncio
from collections.abc import Callable, Sequence

_FIRST_BYTES = 4 << 20
"""To grow takes time, which is not worth it for less."""


class LargeBody(asyncio.BufferedProtocol):
    """Receives exactly one body, then gives the transport back."""

    def __init__(
        self, transport: asyncio.Transport, size: int, begun: Sequence[bytes], end: "BodyEnd"
    ) -> None:
        """Take over `transport` until `size` bytes are here; `begun` are the first of them."""
        self._transport = transport
        self._before = transport.get_protocol()
        self._end = end
        self._body = bytearray(min(size, _FIRST_BYTES))
        self._missing = size
        self._rest = memoryview(self._body)
        for part in begun:
            self._rest[: len(part)] = part
            self._took(len(part))
        self._hand_to(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Return where the next bytes belong: no byte of the next request fits."""
        if not len(self._rest):
            self._grow()
        return self._rest

    def buffer_updated(self, nbytes: int) -> None:
        """Count what came."""
        self._took(nbytes)
        whole = not self._missing
        if whole:
            self._rest.release()
            self._hand_to(self._before)
        self._end(self._body if whole else None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._before.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """Close: the rest will not come."""
        return False

    def pause_writing(self) -> None:
        """Pass it on."""
        self._before.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._before.resume_writing()

    def _took(self, nbytes: int) -> None:
        self._rest = self._rest[nbytes:]
        self._missing -= nbytes

    def _grow(self) -> None:
        """Make room for as much again as has come, or for the rest; nobody holds the buffer now."""
        self._rest.release()
        came = len(self._body)
        self._body += bytes(min(self._missing, came))
        self._rest = memoryview(self._body)[came:]

    def _hand_to(self, protocol: asyncio.BaseProtocol) -> None:
        # uvloop chooses how it reads when it begins to.
        self._transport.pause_reading()
        self._transport.set_protocol(protocol)
        self._transport.resume_reading()


BodyEnd = Callable[[bytearray | None], None]
"""Called when bytes have come; with the body once it is whole."""
