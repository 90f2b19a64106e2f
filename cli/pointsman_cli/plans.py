"""Plans: what a move of the channel would do, found out by doing it to a rehearsal of the store.

Whatever would be refused is refused here too, with the same words; nothing is written.
"""

import copy
from typing import Any

from pointsman import fleet, heartbeat
from pointsman.errors import StoreError
from pointsman.registry import Registry
from pointsman.stores.rehearsal import Rehearsal
from pointsman_cli.context import Context
from pointsman_cli.memory_outlook import Outlook, outlooks
from pointsman_cli.moves import Move, carry_out
from pointsman_cli.wishes import Wish


def plan(context: Context, wish: Wish) -> None:
    """Say what a wish would do to the channel, and on which instances memory is short."""
    done = rehearse(context, wish)
    sentence = _sentence(done)
    foreseen = _foreseen(context, done)
    context.output.result(document(done) | {"plan": [sentence, *map(_line, foreseen)]})
    context.output.data(sentence)
    for outlook in foreseen:
        context.output.data(f"  {_line(outlook)}")


def rehearse(context: Context, wish: Wish) -> Move:
    """Return what a wish would do to the channel; raises what doing it would."""
    rehearsed = copy.copy(context)
    rehearsed.registry = Registry(Rehearsal(context.registry.store), context.registry.notary)
    return carry_out(rehearsed, wish, "")


def document(done: Move) -> dict[str, Any]:
    """Return what `--json` gives of a move that was not made: `generation` is the present one."""
    before = done.before
    told = done.document(None)
    kept = ("model", "channel", "action", "from", "to", "canary", "shadow")
    return {
        **{name: told[name] for name in kept},
        "generation": before.generation if before else 0,
        "dry_run": True,
    }


def _foreseen(context: Context, done: Move) -> list[Outlook]:
    """Ask of every live instance how it would load what is new to it."""
    registry, version = context.registry, done.goal.version
    if not done.changed:
        return []
    try:
        instances = fleet.instances(context.fleet_store, context.model, context.channel)
    except StoreError as error:
        context.output.warn(f"what instances would make of it is not known: {error.message}")
        return []
    found = registry.version(context.model, version)
    return outlooks(
        found.manifest,
        found.digest,
        heartbeat.live(instances),
        lambda name: registry.version(context.model, name).manifest,
    )


def _line(outlook: Outlook) -> str:
    return f"{outlook.instance} {outlook.sentence}"


def _sentence(done: Move) -> str:
    place = f"{done.model}/{done.channel}"
    version = done.after.stable.version
    if done.goal.beside or done.shadowless:
        return (
            f"{place} {done.words.would}" if done.changed else f"{place} {done.words.state} already"
        )
    if not done.changed:
        return f"leave {place} at {version}, which it names already"
    if done.origin == version:
        return f"leave {place} at {version}, and end the canary"
    return f"move {place} from {done.origin or 'nothing'} to {version}"
