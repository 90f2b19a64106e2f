"""The lineage: which versions a history has before the present one, and how long each was stable.

Pure, and ignorant of what an entry says beside its action, its time and its version.
"""

from collections.abc import Hashable, Iterable
from datetime import datetime
from typing import Protocol, TypeVar

GOES_BACK = "rollback"
"""The one action that goes back instead of on."""

Version_co = TypeVar("Version_co", bound=Hashable, covariant=True)
Known = TypeVar("Known", bound=Hashable)


class Entry(Protocol[Version_co]):
    """A change of what is stable, or of something else."""

    @property
    def action(self) -> str:
        """What was done."""
        ...

    @property
    def at(self) -> str:
        """When, by the clock of who did it."""
        ...

    @property
    def pointer(self) -> Version_co:
        """The version that was stable after it."""
        ...

    @property
    def discards(self) -> bool:
        """Whether what was stable before it is not to be gone back to."""
        ...


def lineage(history: Iterable[Entry[Known]]) -> list[Known]:
    """Replay the history as a stack: activations push, rollbacks pop down to their target.

    An activation that discards pops what it leaves first. Changes that leave what is stable leave
    the stack. A target older than what is remembered
    empties it: all that is left of the history came later.
    """
    stack: list[Known] = []
    for entry in history:
        if entry.action == GOES_BACK:
            while stack and stack[-1] != entry.pointer:
                stack.pop()
        elif entry.discards and stack:
            stack.pop()
        if not stack or stack[-1] != entry.pointer:
            stack.append(entry.pointer)
    return stack


def stretches(history: Iterable[Entry[Known]]) -> dict[Known, float]:
    """Return the longest time, in seconds, that each version of the past was stable at a stretch.

    Clocks of different writers may disagree: what seems to have ended before it began counts 0.
    """
    longest: dict[Known, float] = {}
    begun: Entry[Known] | None = None
    for entry in history:
        if begun is None:
            begun = entry
        elif entry.pointer != begun.pointer:
            lasted = _seconds_between(begun.at, entry.at)
            longest[begun.pointer] = max(longest.get(begun.pointer, 0.0), lasted)
            begun = entry
    return longest


def _seconds_between(earlier: str, later: str) -> float:
    try:
        lasted = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    except (ValueError, TypeError):
        return 0.0  # not a time, or one of them without its zone
    return lasted.total_seconds()
