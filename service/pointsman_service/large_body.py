"""A large body of known size: from the socket into one buffer, past the parser.

The parser would hand on copies of its parts, to be joined once more: for the image of a
convolutional net that takes a tenth of the time that the net does. While the rest of such a body
is awaited, this takes the connection's place at the transport; every other event is passed on.
"""

import asyncio
from collections.abc import Callable, Sequence


class LargeBody(asyncio.BufferedProtocol):
    """Receives exactly one body, then gives the transport back."""

    def __init__(
        self, transport: asyncio.Transport, size: int, begun: Sequence[bytes], end: "BodyEnd"
    ) -> None:
        """Take over `transport` until `size` bytes are here; `begun` are the first of them."""
        self._transport = transport
        self._before = transport.get_protocol()
        self._end = end
        self._body = bytearray(size)
        self._rest = memoryview(self._body)
        for part in begun:
            self._rest[: len(part)] = part
            self._rest = self._rest[len(part) :]
        self._hand_to(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Return where the next bytes belong: no byte of the next request fits."""
        return self._rest

    def buffer_updated(self, nbytes: int) -> None:
        """Count what came."""
        self._rest = self._rest[nbytes:]
        whole = not len(self._rest)
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

    def _hand_to(self, protocol: asyncio.BaseProtocol) -> None:
        # uvloop chooses how it reads when it begins to.
        self._transport.pause_reading()
        self._transport.set_protocol(protocol)
        self._transport.resume_reading()


BodyEnd = Callable[[bytearray | None], None]
"""Called when bytes have come; with the body once it is whole."""
