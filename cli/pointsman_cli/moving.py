"""Moving a channel, watching the fleet follow, and telling what came of it.

`move` is the whole story: note where things stand, move, watch, and put the channel back if an
instance refused. Everything below it is a step of that story.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from pointsman.channel import ACTIVATE
from pointsman.errors import PointsmanError
from pointsman.heartbeat import Verdict
from pointsman_cli.confirmation import Answer, Confirmation, Watch
from pointsman_cli.context import Context
from pointsman_cli.errors import Refused, Unconfirmed
from pointsman_cli.moves import Move, carry_out
from pointsman_cli.undoing import obstacle, undo
from pointsman_cli.units import counted, duration
from pointsman_cli.wishes import Activation, Renewal, Wish

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Whether to wait for the fleet, for how long, and whether a refusal may stay."""

    wait: bool
    seconds: float
    keep: bool


def move(context: Context, wish: Wish, why: str, patience: Patience) -> None:
    """Move the channel, and report; raises as `moved` does."""
    done, confirmation = moved(context, wish, why, patience)
    context.output.result(context.facts | done.document(confirmation))
    context.output.success(done.sentence(confirmation))


def moved(
    context: Context, wish: Wish, why: str, patience: Patience
) -> tuple[Move, Confirmation | None]:
    """Move the channel; return what was done, and what the fleet confirmed, if it was waited for.

    Raises `Refused` when an instance would not serve the version (the channel has then been put
    back, unless told to keep it), `Unconfirmed` when time ran out or somebody else moved on.
    """
    watch = Watch(context.fleet_store, context.model, context.channel, _teller(context))
    if patience.wait:
        watch.begin()
    context.stands("Whether the channel was moved is not known: `pointsman history` tells.")
    started = time.monotonic()
    done = carry_out(context, wish, why)
    if not done.changed and watch.refused_somewhere(done.goal):
        done = _again(context, done, why)
    context.stands(_standing(done), **done.document(None))
    if not patience.wait:
        return done, None
    confirmation = _watched(context, watch, done, started, patience.seconds)
    _mention_stale(context, confirmation)
    _require(context, done, confirmation, patience)
    return done, confirmation


def _again(context: Context, done: Move, why: str) -> Move:
    """Move the generation on, so that instances which refused a version try it again."""
    context.output.step(f"{done.goal.version} is refused: a new generation lets it be tried again")
    again: Wish = Renewal(done.wished)
    if done.wished == ACTIVATE:
        again = Activation(done.after.stable.version, again=True)
    return carry_out(context, again, why)


def _standing(done: Move) -> str:
    return (
        f"The channel {done.words.state} (generation {done.goal.generation}), and instances "
        f"follow it all the same: `pointsman status` shows how far{done.words.way_back}."
    )


def _teller(context: Context) -> Callable[[Answer], None]:
    def tell(answer: Answer) -> None:
        took = duration(answer.seconds)
        does = f"serves {answer.subject or 'nothing'}"
        if answer.verdict is Verdict.REFUSED:
            does = "refuses"  # why is told once, by the error that follows
        context.output.step(f"{answer.instance} {does} after {took}")

    return tell


def _watched(
    context: Context, watch: Watch, done: Move, started: float, seconds: float
) -> Confirmation:
    with context.output.waiting(f"waiting for the fleet to serve {done.goal.subject}") as update:

        def show(confirmation: Confirmation) -> None:
            waiting = confirmation.having(Verdict.WAITING)
            total = counted(len(confirmation.answers), "instance")
            some = f"waiting for {len(waiting)} of {total}: {_names(waiting)}"
            update(confirmation.trouble or some)

        return watch.until_settled(done.goal, started, seconds, show)


def _names(answers: list[Answer]) -> str:
    named = ", ".join(answer.instance for answer in answers[:_NAMED])
    more = len(answers) - _NAMED
    return f"{named} and {more} more" if more > 0 else named


def _mention_stale(context: Context, confirmation: Confirmation) -> None:
    if stale := confirmation.stale:
        context.output.warn(
            f"{', '.join(stale)} stopped reporting a while ago and "
            f"{'was' if len(stale) == 1 else 'were'} not waited for"
        )
    if resting := confirmation.resting:
        rest, follow = ("rests", "follows") if len(resting) == 1 else ("rest", "follow")
        context.output.step(
            f"{', '.join(resting)} {rest}, and {follow} at the next request for a prediction"
        )


def _require(context: Context, done: Move, confirmation: Confirmation, patience: Patience) -> None:
    """Raise what keeps the move from being called done."""
    if refusals := confirmation.having(Verdict.REFUSED):
        _refused(context, done, confirmation, refusals[0], patience)
    if confirmation.confirmed:
        return
    document = done.document(confirmation)
    names = f"the channel {done.words.state} all the same"
    waiting = confirmation.having(Verdict.WAITING)
    limit = duration(patience.seconds)
    if confirmation.trouble:
        message = (
            f"not confirmed within {limit}, as heartbeats cannot be read: {confirmation.trouble}"
        )
    elif waiting:
        message = f"not confirmed within {limit} by {_names(waiting)}; {names}"
    else:
        others = _names(confirmation.having(Verdict.SUPERSEDED))
        message = f"somebody moved the channel on before {others} served {done.goal.subject}"
    raise Unconfirmed(
        message,
        f"`pointsman status` shows what they do{done.words.way_back}."
        if confirmation.trouble or waiting
        else "`pointsman history` shows who, and to what.",
        document,
    )


def _refused(
    context: Context, done: Move, confirmation: Confirmation, refusal: Answer, patience: Patience
) -> NoReturn:
    document = done.document(confirmation)
    version = done.goal.version
    message = f"{refusal.instance} refused {version}: {_once(version, refusal.reason)}"
    document["put_back"] = None
    outcome = obstacle(done)
    if not outcome and patience.keep:
        outcome = (
            f"The channel {done.words.state} all the same, because of --keep: `pointsman status` "
            f"shows what the others make of it{done.words.way_back}."
        )
    if not outcome:
        outcome, document["put_back"] = _put_back(context, done, message, patience)
    raise Refused(message, outcome, document)


def _once(version: str, reason: str) -> str:
    """Render an instance's reason where the version, and what it was to be, are named already."""
    for role in ("canary", "shadow"):
        reason = reason.removeprefix(f"{role} {version}: ")
    return (
        f"it {reason.removeprefix(f'{version} ')}" if reason.startswith(f"{version} ") else reason
    )


def _put_back(
    context: Context, done: Move, why: str, patience: Patience
) -> tuple[str, dict[str, Any] | None]:
    """Return the channel to where it was, if nobody else moved it; say how that went."""
    context.output.step("putting the channel back")
    started = time.monotonic()
    try:
        after = undo(context, done, why)
    except PointsmanError as error:
        return f"The channel was not put back: {error.message}.", None
    back = Move(done.model, done.channel, done.after, after)
    context.stands(
        f"{why}. The channel was put back to {back.words.subject} (generation "
        f"{after.generation}), and instances follow it all the same: `pointsman status` shows how "
        "far."
    )
    watch = Watch(context.fleet_store, done.model, done.channel, _teller(context))
    confirmation = _watched(context, watch, back, started, patience.seconds)
    serving = len(confirmation.having(Verdict.SERVING))
    sentence = (
        f"The channel was put back to {back.words.subject} (generation {after.generation}), and "
        f"{serving}/{len(confirmation.answers)} serve it."
    )
    return sentence, back.document(confirmation)
