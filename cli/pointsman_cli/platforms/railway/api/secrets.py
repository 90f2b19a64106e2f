"""Keeping secrets out of whatever is said, whoever says it."""

from collections.abc import Iterable

_MARK = "•••"
_SHORTEST = 6
"""Shorter values ("1", "true") are no secrets, and would be found everywhere."""


class Secrets:
    """The values that must not be shown."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: set[str] = set()
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        """Learn of more."""
        self._values |= {each for each in values if len(each) >= _SHORTEST}

    def concealed(self, text: str) -> str:
        """Return the text with a mark in the place of every secret."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, _MARK)
        return text
