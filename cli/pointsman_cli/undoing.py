"""Putting a channel back after an instance refused: the move that undoes a move."""

from pointsman.channel import ACTIVATE, PROMOTE, ROLLBACK, SET, SHADOW, START, Channel
from pointsman_cli.context import Context
from pointsman_cli.moves import Move


def obstacle(done: Move) -> str:
    """Say why a move cannot be undone, or need not be; "" when it can."""
    if done.before is None:
        return f"There was nothing to put the channel back to: it {done.words.state}."
    if not done.changed or done.renewed:
        return f"The channel {_past(done)} before, and still does."
    if done.action not in {ACTIVATE, ROLLBACK, PROMOTE, START, SET, SHADOW}:
        return f"The channel {done.words.state} all the same: nothing else is to go back to."
    return ""


def undo(context: Context, done: Move, why: str) -> Channel:
    """Move the channel back, if it is still where this command left it.

    Raises `ChannelConflict` when somebody else moved it since.
    """
    before = done.before
    if before is None:
        raise ValueError("there is nothing to go back to")
    registry, generation = context.registry, done.after.generation
    rollout = registry.rollout(done.model, done.channel, why=why, if_generation=generation)
    if done.action == START:
        return rollout.abort()
    if done.action == SET and before.canary:
        return rollout.set(before.canary.weight)
    if done.action == SHADOW:
        shadow = before.shadow
        if shadow is None:
            return rollout.end_shadow()
        return rollout.shadow(shadow.version, shadow.percent, force=True)
    version = before.stable.version
    if done.action == ROLLBACK:
        return registry.activate(
            done.model, version, done.channel, why=why, if_generation=generation
        )
    return registry.rollback(
        done.model, done.channel, to=version, why=why, if_generation=generation
    )


def _past(done: Move) -> str:
    """Render the state as it was: `named v1`."""
    verb, _, rest = done.words.state.partition(" ")
    return f"{_PAST[verb]} {rest}"


_PAST = {"names": "named", "gives": "gave", "lets": "let", "has": "had"}
