"""Backpressure: a client that does not read its answers, or sends ahead of them, is not read.

uvicorn reads on whenever an answer is complete or an application wants its body, whatever is
waiting still; so whoever only ever sends would fill the memory.
"""

import asyncio
from collections.abc import Sized

from uvicorn.protocols.http.flow_control import FlowControl


class Flow(FlowControl):
    """Reads from a transport only while nothing waits, neither to be answered nor to be sent."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        """Read while `waiting`, the requests behind the one that is being answered, is empty."""
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """Read on, if there is nothing to be done first."""
        if not self._waiting and not self.write_paused:
            super().resume_reading()

    def pause_writing(self) -> None:
        """Let nobody write, and read nothing that would be answered."""
        super().pause_writing()
        self.pause_reading()

    def resume_writing(self) -> None:
        """Let them write, and read on."""
        super().resume_writing()
        self.resume_reading()
