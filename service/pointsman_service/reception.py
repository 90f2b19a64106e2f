"""Receiving: from what a socket has to the target, the headers and the body of a request.

The parser is llhttp (`httptools`), as uvicorn's; the rest of a large body goes past it.
"""

import asyncio
from abc import abstractmethod
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from pointsman_service import declined_upgrade
from pointsman_service.api.messages import Header
from pointsman_service.large_body import LargeBody

MAX_HEAD_BYTES = 32 << 10


class Reception(HttpToolsProtocol):
    """The receiving half of a connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, loop)
        self._target = b""
        self._fields: list[Header] = []
        self.large_body: LargeBody | None = None
        """What takes the bytes that come, past the parser."""
        self._in_head = False
        self._head_bytes = 0
        self._arriving = False
        """Whether a request has begun to arrive and is not here as a whole."""
        self._mixed = False
        """Whether what is being parsed holds more than a part of one head."""
        self._since = self.loop.time()
        """When something happened last."""

    def data_received(self, data: bytes | memoryview) -> None:
        """Parse what has come, and lose patience with a head that does not end."""
        self._mixed = False
        self._unset_keepalive_if_required()
        self._parse(data)
        if self._in_head and not self._mixed:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, f"the head of a request may have {MAX_HEAD_BYTES} bytes")
        elif self._arriving and not self._in_head and not self.transport.is_closing():
            self.large_body = self._begun_large()

    def large_body_grew(self, nbytes: int) -> None:
        """Go on with a large body, of which so many bytes have come."""
        large = self.large_body
        assert large is not None  # noqa: S101 — only then anything comes into it
        self._since = self.loop.time()
        if large.took(nbytes):
            self.large_body = None
            self._arriving = False
            self._body_came(large.whole())
            # The parser before waits for a body that it will never see.
            self._parse_anew()

    def on_chunk_header(self) -> None:
        """Expect a part of the body, or what stands behind it, which has the bounds of a head."""
        self._in_head = self._mixed = True
        self._head_bytes = 0

    @abstractmethod
    def _begun_large(self) -> LargeBody | None:
        """Return what takes the rest of the body, if its size is known and is large."""

    @abstractmethod
    def _body_came(self, body: memoryview) -> None:
        """Go on with a large body that is here as a whole."""

    @abstractmethod
    def _refuse(self, status: int, message: str) -> None:
        """Answer a request that is not understood or not waited for, and close."""

    def _parse(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        try:
            while (end := declined_upgrade.feed(self.parser, rest)) is not None:
                head = declined_upgrade.head(self.parser, self._target, self._fields)
                self._parse_anew()
                self.parser.feed_data(head)
                rest = rest[end:]
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self._refuse(400, "Invalid HTTP request received.")

    def _parse_anew(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
