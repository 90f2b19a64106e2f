"""What to do next, given what is aspired and what there is: pure, so that it can be tabulated.

Availability comes first: nothing here ever takes the serving version away before another one
is ready, and a version that was refused is not tried again for the same generation.
"""

from collections.abc import Collection
from enum import StrEnum


class Action(StrEnum):
    """The manager's next step."""

    NOTHING = "nothing"
    SWITCH = "switch"
    LOAD = "load"


def decide(aspired: str, serving: str | None, resident: Collection[str], refused: bool) -> Action:  # noqa: FBT001
    """Choose for the digest `aspired`; `refused` says that its generation already failed here."""
    if refused or aspired == serving:
        return Action.NOTHING
    return Action.SWITCH if aspired in resident else Action.LOAD


def surplus(residents: Collection[str], serving: str, previous: str | None) -> list[str]:
    """Return which resident digests to unload: all but the serving and the previous one."""
    return [digest for digest in residents if digest not in {serving, previous}]
