"""Who sends ahead of its answers, or does not read them, is not read."""

import asyncio
from typing import Any

from pointsman_service.flow import Flow


class Transport(asyncio.Transport):
    """Knows only whether it is read."""

    reading = True

    def pause_reading(self) -> None:
        """Read no more."""
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        """Read on."""
        assert not self.reading
        self.reading = True


def test_nothing_is_read_while_requests_wait() -> None:
    transport, waiting = Transport(), list[Any]()
    flow = Flow(transport, waiting)
    waiting.append("a request")
    flow.pause_reading()
    flow.resume_reading()
    assert not transport.reading
    waiting.clear()
    flow.resume_reading()
    assert transport.reading


def test_nothing_is_read_while_answers_wait_for_their_reader() -> None:
    transport = Transport()
    flow = Flow(transport, [])
    flow.pause_writing()
    assert not transport.reading
    flow.resume_reading()
    assert not transport.reading
    flow.resume_writing()
    assert transport.reading
