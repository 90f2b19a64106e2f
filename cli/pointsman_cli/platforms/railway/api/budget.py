"""Railway's budget of requests: what is left of it, and how long to pause between looks.

A free account has 100 requests an hour, and watching one deployment for five minutes at three
seconds would use them all. Facts: https://docs.railway.com/integrations/api (rate limits).
"""

from collections.abc import Mapping
from dataclasses import dataclass

FIRST_PAUSE = 3.0
LONGEST_PAUSE = 10.0
_GROWTH = 1.25
_RESERVE = 10
"""Requests left alone while watching: for logs, a verdict, and a rollback."""
_SPARING_PAUSE = 60.0
_EPOCH = 1e9


@dataclass(slots=True)
class Budget:
    """What the last answer's headers said; None where they said nothing."""

    limit: int | None = None
    remaining: int | None = None
    resets_in: float | None = None

    def note(self, headers: Mapping[str, str], now: float) -> None:
        """Read an answer's headers; `now` is seconds since the epoch."""
        self.limit = _number(headers.get("x-ratelimit-limit"), self.limit)
        self.remaining = _number(headers.get("x-ratelimit-remaining"), self.remaining)
        reset = _number(headers.get("x-ratelimit-reset"), None)
        if reset is not None:
            # Whether it is a moment or a duration is not documented; no duration is that long.
            self.resets_in = max(0.0, reset - now) if reset > _EPOCH else float(reset)

    def pause(self, looks: int) -> float:
        """Return how many seconds to wait after this many looks, so that the budget suffices."""
        usual = min(LONGEST_PAUSE, FIRST_PAUSE * _GROWTH**looks)
        if self.remaining is None or self.resets_in is None:
            return usual
        # Every look is two questions: the status and the events.
        affordable = max(1, self.remaining - _RESERVE) / 2
        return min(_SPARING_PAUSE, max(usual, self.resets_in / affordable))

    @property
    def is_small(self) -> bool:
        """Whether progress has to be told less often than usual."""
        return self.pause(0) > LONGEST_PAUSE


def _number(text: str | None, otherwise: int | None) -> int | None:
    try:
        return int(float(text)) if text else otherwise
    except ValueError:
        return otherwise
