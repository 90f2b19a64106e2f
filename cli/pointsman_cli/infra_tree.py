"""A live tree of the resources of a stack: what happens to each, while it happens.

On a terminal the tree redraws in place; elsewhere each step that changes something is one line.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pointsman_cli.output import Output

if TYPE_CHECKING:
    from rich.tree import Tree

    from pointsman_infra.automation.steps import Step, Steps

_SIGNS = {"running": "[cyan]…[/]", "done": "[green]✓[/]", "failed": "[red]✗[/]"}
_COLOURS = {"create": "green", "update": "yellow", "replace": "magenta", "delete": "red"}


@contextmanager
def watched(output: Output, title: str) -> Iterator["Steps"]:
    """Yield where the engine's events go; what they say is shown until the block ends."""
    from pointsman_infra.automation.steps import Steps

    console = output.live_console()
    if console is None:
        yield Steps(_Lines(output))
        return
    from rich.live import Live

    with Live(console=console, refresh_per_second=8) as live:
        yield Steps(lambda steps: live.update(tree(title, steps)))


def tree(title: str, steps: "Steps") -> "Tree":
    """Draw the steps, grouped by the principal, bucket or model that their names begin with."""
    from rich.tree import Tree

    root = Tree(f"[bold]{title}[/]")
    groups: dict[str, Tree] = {}
    for step in steps.all():
        group = step.name.split("-", 1)[0]
        if group in groups:
            groups[group].add(_line(step))
        else:
            groups[group] = root.add(_line(step))
    return root


def _line(step: "Step") -> str:
    colour = _COLOURS.get(step.operation, "dim")
    changed = f" [dim]({', '.join(step.changed)})[/]" if step.changed else ""
    return (
        f"{_SIGNS[step.state.value]} {step.name} [dim]{step.kind}[/] "
        f"[{colour}]{step.operation}[/]{changed}"
    )


class _Lines:
    """Tells each finished step that changes something, once."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._told: set[tuple[str, str]] = set()

    def __call__(self, steps: "Steps") -> None:
        for step in steps.all():
            key = (step.urn, step.operation)
            if step.state.value != "running" and step.changes and key not in self._told:
                self._told.add(key)
                outcome = "" if step.state.value == "done" else " failed"
                self._output.step(f"{step.operation} {step.name} ({step.kind}){outcome}")
