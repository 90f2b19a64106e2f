"""A close that lets a last answer arrive: what is still sent is read, and thrown away.

Who closes a socket with unread data resets the connection, and a reset may overtake the answer: a
client that is sending a body too large would hear of a broken connection and not of the reason. So
the sending half is closed first, and the rest once the client has read that, or has had its time.
"""

import asyncio
from collections.abc import Callable

SECONDS = 5.0
"""How long a client may take to hear of the end."""
BYTES = 256 << 20
"""How much it may send meanwhile; more would be no misunderstanding."""
_NOWHERE = bytearray(256 << 10)


class LingeringClose(asyncio.BufferedProtocol):
    """Takes a transport over to end it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """End `transport`, once what was written to it is on its way."""
        self._transport = transport
        self._before = transport.get_protocol()
        self._left = BYTES
        self._patience = asyncio.get_running_loop().call_later(SECONDS, transport.abort)
        # uvloop chooses how it reads when it begins to.
        transport.pause_reading()
        transport.set_protocol(self)
        transport.resume_reading()
        transport.write_eof()

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002
        """Return a place that nobody looks at."""
        return _NOWHERE

    def buffer_updated(self, nbytes: int) -> None:
        """Read on, but not for ever."""
        self._left -= nbytes
        if self._left < 0:
            self._transport.abort()

    def eof_received(self) -> bool | None:
        """Close: the client has heard."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._patience.cancel()
        self._before.connection_lost(exc)


class Ending:
    """What an application has of a transport: it writes, and its close lingers where it must."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        """Call `close` in place of the transport's `close`."""
        self.write = transport.write
        self.close = close
        self._transport = transport

    def is_closing(self) -> bool:
        """Tell whether nothing may be written any more."""
        lingers = isinstance(self._transport.get_protocol(), LingeringClose)
        return lingers or self._transport.is_closing()
