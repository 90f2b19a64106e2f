"""What to do next, given what is aspired and what there is: pure, so that it can be tabulated.

Availability comes first: nothing here ever takes the serving version away before another one
is ready, and a version that was refused is not tried again for the same generation.
"""

from collections.abc import Collection
from enum import StrEnum


class Action(StrEnum):
    """The manager's next step."""

    SERVE = "serve"
    LOAD = "load"
    STAY = "stay"


def decide(aspired: str, resident: Collection[str], *, refused: bool) -> Action:
    """Choose for the digest `aspired`; `refused` says that its generation already failed here."""
    if refused:
        return Action.STAY
    return Action.SERVE if aspired in resident else Action.LOAD


def surplus(residents: Collection[str], needed: Collection[str | None]) -> list[str]:
    """Return which resident digests to unload: all that are not needed."""
    return [digest for digest in residents if digest not in needed]
