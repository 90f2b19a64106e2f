"""Telling how a release comes along: what changes on a machine, once, in the order it happens."""

from collections.abc import Callable, Iterable

from pointsman_cli.output import Output
from pointsman_cli.platforms.fly import machines as of
from pointsman_cli.platforms.fly.machines import FlyMachine


class Progress:
    """Tells changes as lines, and the present as words beside a spinner."""

    def __init__(self, output: Output, update: Callable[[str], None]) -> None:
        self._output = output
        self._update = update
        self._words: dict[str, str] = {}

    def begun(self, found: Iterable[FlyMachine]) -> None:
        """Take how things stand for known: only what changes from now on is told."""
        self._words = {each.id: _words(each) for each in found}

    def machines(self, found: Iterable[FlyMachine]) -> None:
        """Tell what changed since the last time."""
        present = {}
        for each in found:
            present[each.id] = _words(each)
            if self._words.get(each.id) != present[each.id]:
                self._output.step(present[each.id])
        for machine in self._words.keys() - present.keys():
            self._output.step(f"machine {machine} is gone")
        self._words = present
        if present:
            self._update(" · ".join(present.values()))

    def line(self, text: str) -> None:
        """Show what flyctl says at the moment; it is no more than that."""
        if text.strip():
            self._update(text.strip())


def _words(machine: FlyMachine) -> str:
    release = f", release {machine.release}" if machine.release else ""
    return f"machine {machine.id} ({machine.region}{release}): {of.word(machine)}"
