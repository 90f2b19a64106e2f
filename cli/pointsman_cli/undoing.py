"""Putting a channel back after an instance refused: the move that undoes a move."""

from pointsman.channel import ACTIVATE, PROMOTE, ROLLBACK, SET, SHADOW, START, Channel, previous
from pointsman_cli.context import Context
from pointsman_cli.moves import Move


def obstacle(done: Move) -> str:
    """Say why a move cannot be undone, or need not be; "" when it can."""
    if done.before is None:
        return f"There was nothing to put the channel back to: it {done.words.state}."
    if not done.changed or done.renewed:
        somewhere = done.goal.beside or previous(done.after)
        back = done.words.way_back if somewhere else ""
        return f"The channel {done.words.past} before, and still does{back}."
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
    # What was refused before this move already is no place to go back to.
    to = None if done.after.history[-1].discards else version
    return registry.rollback(done.model, done.channel, to=to, why=why, if_generation=generation)
