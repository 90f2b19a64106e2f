"""Waiting for what will be: with a deadline, and never for a fixed time."""

import asyncio
from collections.abc import Callable

_SECONDS = 120.0
_LOOK_SECONDS = 0.005


async def until(condition: Callable[[], object], seconds: float = _SECONDS) -> None:
    """Return once `condition` holds; fails when it does not within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 — of many kinds, and none of them an event
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        raise AssertionError(f"it did not come true within {seconds} s") from None


async def turns(count: int = 20) -> None:
    """Let everything that is ready to run on the event loop run."""
    for _ in range(count):
        await asyncio.sleep(0)
