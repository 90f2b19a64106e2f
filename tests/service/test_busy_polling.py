"""Busy polling: how long the loop stays awake after an answer, and when it stops hoping."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

from pointsman_service.busy_polling import BusyPolling

SECONDS = 50e-6


class Loop:
    """An event loop that turns when it is told to."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.now = 0.0
        self.due: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self.polling = BusyPolling(seconds, lambda: self.now)

    def call_soon(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Call in the next turn."""
        self.due.append((callback, arguments))

    def answer(self, took: float = 0.0) -> None:
        """Answer a request."""
        self.polling.answered(cast("asyncio.AbstractEventLoop", self), took)

    def turn(self, seconds: float) -> bool:
        """Let time pass, and turn once; return whether it would not sleep now."""
        self.now += seconds
        due, self.due = self.due, []
        for callback, arguments in due:
            callback(*arguments)
        return bool(self.due)

    def answer_in_vain(self) -> bool:
        """Answer one who does not come back in time; return whether it was waited for."""
        self.answer()
        looked = bool(self.due)
        while self.turn(SECONDS / 2):
            pass
        return looked


def test_the_loop_looks_for_the_next_request_and_then_sleeps() -> None:
    loop = Loop()
    loop.answer()
    assert loop.turn(SECONDS / 4)
    assert loop.turn(SECONDS / 4)
    assert not loop.turn(SECONDS)


def test_it_looks_for_longer_after_what_took_longer_and_not_for_long() -> None:
    loop = Loop()
    loop.answer(took=0.01)
    assert loop.turn(0.00015)
    assert not loop.turn(0.0001)
    loop = Loop()
    loop.answer(took=10.0)
    assert loop.turn(0.0004)
    assert not loop.turn(0.0002)


def test_it_looks_as_long_as_requests_come_in_time() -> None:
    loop = Loop()
    for _ in range(100):
        loop.answer()
        assert len(loop.due) == 1
        assert loop.turn(SECONDS / 2)


def test_it_looks_less_and_less_often_for_those_who_do_not_come_back_soon() -> None:
    loop = Loop()
    looked = [number for number in range(10_000) if loop.answer_in_vain()]
    pauses = [later - earlier - 1 for earlier, later in pairwise(looked)]
    assert pauses[:4] == [2, 6, 14, 30]
    assert set(pauses[10:]) == {1024}


def test_those_who_come_back_soon_give_it_hope_again() -> None:
    loop = Loop()
    for _ in range(10_000):
        loop.answer_in_vain()
    for _ in range(3_000):
        loop.answer()
        loop.turn(SECONDS / 2)
    assert len(loop.due) == 1
    assert [loop.answer_in_vain() for _ in range(4)] == [True, False, False, True]


def test_it_does_not_look_often_where_two_of_three_come_too_late() -> None:
    loop = Loop()
    looked = 0
    for number in range(30_000):
        idle = not loop.due
        loop.answer()
        looked += idle and bool(loop.due)
        loop.turn(SECONDS / 2 if number % 3 == 0 else 2 * SECONDS)
    assert looked < 1_000


def test_it_can_be_told_never_to_look() -> None:
    loop = Loop(0.0)
    assert not any(loop.answer_in_vain() for _ in range(10))
