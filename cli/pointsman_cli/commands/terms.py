"""Terms: on which a channel is moved, as options that every command which moves one has."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pointsman_cli.commands.arguments import DryRun, Keep, NoWait, Sign, Timeout, Why
from pointsman_cli.context import Context

if TYPE_CHECKING:
    from pointsman_cli.wishes import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Every member is an option of the command line."""

    why: Why = ""
    no_wait: NoWait = False
    timeout: Timeout = 120.0
    keep: Keep = False
    sign: Sign = None
    dry_run: DryRun = False

    def carry_out(self, context: Context, wish: "Wish") -> None:
        """Move the channel as is wished and wait for the fleet, or say what that would do.

        Raises what `pointsman_cli.moving.move` does.
        """
        from pointsman_cli.moving import Patience, move
        from pointsman_cli.plans import plan

        if self.dry_run:
            plan(context, wish)
            return
        patience = Patience(wait=not self.no_wait, seconds=self.timeout, keep=self.keep)
        move(context, wish, self.why, patience)


def with_terms(command: Callable[..., None], *, but: str = "") -> Callable[..., None]:
    """Turn `command(context, …, terms)` into one that takes the terms as options, all `but` one."""
    options = inspect.signature(Terms, eval_str=True).parameters
    kept = [option for name, option in options.items() if name != but]

    @functools.wraps(command)
    def with_options(context: Context, **arguments: Any) -> None:
        terms = Terms(**{option.name: arguments.pop(option.name) for option in kept})
        # Before the command opens the registry, which signs as it was opened.
        context.sign_with(terms.sign)
        command(context, **arguments, terms=terms)

    own = inspect.signature(command, eval_str=True).parameters.values()
    told = [parameter for parameter in own if parameter.name != "terms"]
    with_options.__signature__ = inspect.Signature([*told, *kept])  # type: ignore[attr-defined]
    return with_options
