"""Moving a channel, watching the fleet follow, and telling what came of it.

`move` is the whole story: note where things stand, move, watch, and put the channel back if an
instance refused. Everything below it is a step of that story.
"""

import time
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from pointsman.channel import ROLLBACK, Channel
from pointsman.errors import ChannelConflict, NotFound, NothingToRollBack, Untrusted
from pointsman.heartbeat import Verdict
from pointsman_cli.confirmation import Answer, Confirmation, Goal, Watch
from pointsman_cli.context import Context
from pointsman_cli.errors import Interrupted, Refused, Unconfirmed
from pointsman_cli.output import duration


class Wish(Protocol):
    """A way to move a channel."""

    def apply(self, context: Context, why: str) -> Channel:
        """Move it, and return it as it is then."""
        ...


@dataclass(frozen=True, slots=True)
class Activation:
    """The wish to make a version serve."""

    version: str

    def apply(self, context: Context, why: str) -> Channel:
        """Move the channel."""
        return context.registry.activate(context.model, self.version, context.channel, why=why)


@dataclass(frozen=True, slots=True)
class Return:
    """The wish to go back, to a certain version or to the one before."""

    to: str | None

    def apply(self, context: Context, why: str) -> Channel:
        """Move the channel."""
        return context.registry.rollback(context.model, context.channel, to=self.to, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Whether to wait for the fleet, for how long, and whether a refusal may stay."""

    wait: bool
    seconds: float
    keep: bool


@dataclass(frozen=True, slots=True)
class Move:
    """What was done to the channel."""

    model: str
    channel: str
    origin: str | None
    present: Channel

    @property
    def goal(self) -> Goal:
        """What the fleet has to confirm."""
        stable = self.present.stable
        return Goal(
            self.model, self.channel, self.present.generation, stable.version, stable.digest
        )

    def document(self, confirmation: Confirmation | None) -> dict[str, Any]:
        """Return what `--json` gives; without a confirmation, nobody was asked."""
        return {
            "model": self.model,
            "channel": self.channel,
            "generation": self.present.generation,
            "from": self.origin,
            "to": self.present.stable.version,
            "seconds": round(confirmation.seconds, 3) if confirmation else None,
            "instances": [each.document() for each in confirmation.answers] if confirmation else [],
            "failed_requests": confirmation.failed_requests if confirmation else None,
        }


def move(context: Context, wish: Wish, why: str, patience: Patience) -> None:
    """Move the channel and report.

    Raises `Refused` when an instance would not serve the version (the channel has then been put
    back, unless told to keep it), `Unconfirmed` when time ran out.
    """
    watch = Watch(context.fleet_store, context.model, context.channel, _teller(context))
    if patience.wait:
        watch.begin()
    origin = _serving(context)
    started = time.monotonic()
    done = Move(context.model, context.channel, origin, wish.apply(context, why))
    if not patience.wait:
        _report(context, done, None)
        return
    confirmation = _watched(watch, done, started, patience.seconds)
    if refusals := confirmation.having(Verdict.REFUSED):
        _refused(context, done, confirmation, refusals[0], patience)
    _report(context, done, confirmation)
    if not confirmation.confirmed:
        _unconfirmed(done, confirmation, patience)


def _serving(context: Context) -> str | None:
    try:
        return context.registry.channel(context.model, context.channel).stable.version
    except NotFound:
        return None


def _teller(context: Context) -> Any:
    def tell(answer: Answer) -> None:
        took = duration(answer.seconds)
        if answer.verdict is Verdict.REFUSED:
            context.output.warn(f"{answer.instance} refused after {took}: {answer.reason}")
        else:
            context.output.step(f"{answer.instance} serves {answer.version} after {took}")

    return tell


def _watched(watch: Watch, done: Move, started: float, seconds: float) -> Confirmation:
    try:
        return watch.until_settled(done.goal, started, seconds)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted: the channel names {done.goal.version} (generation "
            f"{done.goal.generation}), and instances follow it all the same",
            "`pointsman status` shows how far they are; `pointsman rollback` goes back.",
        ) from None


def _report(context: Context, done: Move, confirmation: Confirmation | None) -> None:
    if confirmation is None or confirmation.confirmed:
        context.output.result(done.document(confirmation))
    if confirmation is not None:
        for instance in confirmation.stale:
            context.output.warn(f"{instance} stopped reporting a while ago and was not waited for")
    if confirmation is None or confirmation.confirmed:
        context.output.success(_sentence(done, confirmation))


def _sentence(done: Move, confirmation: Confirmation | None) -> str:
    version = done.present.stable.version
    was = f" · was {done.origin}" if done.origin and done.origin != version else ""
    if confirmation is None:
        return f"{done.channel} names {version}{was}; nobody was waited for"
    total = len(confirmation.answers)
    if not total:
        return f"{done.channel} names {version}{was}; no instance is running to serve it yet"
    serving = len(confirmation.having(Verdict.SERVING))
    failed = confirmation.failed_requests
    return (
        f"{serving}/{total} on {version} in {duration(confirmation.seconds)} · "
        f"{failed} failed request{'' if failed == 1 else 's'}{was}"
    )


def _unconfirmed(done: Move, confirmation: Confirmation, patience: Patience) -> NoReturn:
    waiting = ", ".join(answer.instance for answer in confirmation.having(Verdict.WAITING))
    raise Unconfirmed(
        f"not confirmed within {duration(patience.seconds)} by {waiting}; the channel names "
        f"{done.goal.version} all the same",
        "`pointsman status` shows what they do; `pointsman rollback` goes back.",
        done.document(confirmation),
    )


def _refused(
    context: Context, done: Move, confirmation: Confirmation, refusal: Answer, patience: Patience
) -> NoReturn:
    document = done.document(confirmation)
    message = f"{refusal.instance} refused {done.goal.version}: {refusal.reason}"
    if patience.keep:
        outcome = f"the channel still names {done.goal.version}, because of --keep"
        document["put_back"] = None
    else:
        outcome, document["put_back"] = _put_back(context, done, message, patience)
    raise Refused(message, f"{outcome[0].upper()}{outcome[1:]}.", document)


def _put_back(
    context: Context, done: Move, why: str, patience: Patience
) -> tuple[str, dict[str, Any] | None]:
    """Return the channel to where it was, if nobody else moved it; say how that went."""
    if done.origin is None:
        named = done.goal.version
        return f"there was nothing to put the channel back to: it names {named}", None
    started = time.monotonic()
    try:
        present = _undo(context, done, done.origin, why)
    except (ChannelConflict, NothingToRollBack, Untrusted) as error:
        return f"the channel was not put back: {error.message}", None
    back = Move(done.model, done.channel, done.goal.version, present)
    watch = Watch(context.fleet_store, done.model, done.channel, _teller(context))
    confirmation = _watched(watch, back, started, patience.seconds)
    serving = len(confirmation.having(Verdict.SERVING))
    sentence = (
        f"the channel was put back to {done.origin} (generation {present.generation}), and "
        f"{serving}/{len(confirmation.answers)} serve it"
    )
    return sentence, back.document(confirmation)


def _undo(context: Context, done: Move, origin: str, why: str) -> Channel:
    registry, generation = context.registry, done.present.generation
    if done.present.history[-1].action == ROLLBACK:
        return registry.activate(
            done.model, origin, done.channel, why=why, if_generation=generation
        )
    return registry.rollback(done.model, done.channel, to=origin, why=why, if_generation=generation)
