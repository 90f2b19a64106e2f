"""Moves of a channel: what was done to it, what the fleet has to confirm, and how it is told."""

from dataclasses import dataclass
from typing import Any

import msgspec

from pointsman.channel import ACTIVATE, SET, SHADOW, START, Channel
from pointsman.errors import ChannelConflict, NotFound
from pointsman.heartbeat import Verdict
from pointsman_cli.confirmation import Confirmation, Goal
from pointsman_cli.context import Context
from pointsman_cli.units import counted, duration
from pointsman_cli.wishes import Wish
from pointsman_cli.wording import Words, words

_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Move:
    """What was done to the channel."""

    model: str
    channel: str
    before: Channel | None
    after: Channel
    wished: str = ACTIVATE

    @property
    def origin(self) -> str | None:
        """The version that was stable before."""
        return self.before.stable.version if self.before else None

    @property
    def changed(self) -> bool:
        """Whether the channel was moved at all: it may have been so already."""
        return self.before is None or self.before.generation != self.after.generation

    @property
    def renewed(self) -> bool:
        """Whether the channel names what it named before."""
        return self.before is not None and self.before.named == self.after.named

    @property
    def action(self) -> str:
        """What the history calls it."""
        return self.after.history[-1].action if self.changed else self.wished

    @property
    def shadowless(self) -> bool:
        """Whether it is about a shadow, and there is none."""
        return self.action == SHADOW and self.after.shadow is None

    @property
    def words(self) -> Words:
        """How it is told."""
        return words(self.action, self.before, self.after)

    @property
    def goal(self) -> Goal:
        """What the fleet has to confirm."""
        roles = {START: self.after.canary, SET: self.after.canary, SHADOW: self.after.shadow}
        beside = roles.get(self.action)
        stable = self.after.stable
        return Goal(
            self.after.generation,
            beside.version if beside else stable.version,
            stable.digest,
            beside=(beside.digest,) if beside else (),
            subject=self.words.subject,
        )

    def document(self, confirmation: Confirmation | None) -> dict[str, Any]:
        """Return what `--json` gives; without a confirmation, nobody was asked."""
        told = confirmation or Confirmation()
        return {
            "model": self.model,
            "channel": self.channel,
            "action": self.action,
            "generation": self.after.generation,
            "from": self.origin,
            "to": self.after.stable.version,
            "canary": msgspec.to_builtins(self.after.canary),
            "shadow": msgspec.to_builtins(self.after.shadow),
            "seconds": round(told.seconds, 3) if confirmation else None,
            "instances": [answer.document() for answer in told.answers],
            "stale": list(told.stale),
            "failed_requests": told.failed_requests if confirmation else None,
        }

    def sentence(self, confirmation: Confirmation | None) -> str:
        """Return what people read when all went well."""
        told = self.words
        state = f"{self.channel} {told.state}" + ("" if self.changed else " already")
        was = f" · {told.was}" if told.was and self.changed else ""
        if confirmation is None:
            return f"{state}{was} · nobody was waited for"
        total = len(confirmation.answers)
        if not total:
            running = "awake" if confirmation.resting else "running"
            return f"{state}{was} · no instance is {running} to serve it yet"
        serving = len(confirmation.having(Verdict.SERVING))
        if not self.changed:
            return state if self.shadowless else f"{state} · {serving}/{total} serve it"
        took = duration(confirmation.seconds)
        failed = counted(confirmation.failed_requests, "failed request")
        preposition = "with" if self.action == SHADOW else "on"
        return f"{serving}/{total} {preposition} {told.subject} in {took} · {failed}{was}"


def present(context: Context) -> Channel | None:
    """Return the channel as it is, if anything was ever activated in it."""
    try:
        return context.registry.channel(context.model, context.channel)
    except NotFound:
        return None


def carry_out(context: Context, wish: Wish, why: str) -> Move:
    """Move the channel, and know for certain from where.

    Raises `ChannelConflict` when somebody else moved it first and the wish does not insist.
    """
    for attempt in range(_ATTEMPTS):
        before = present(context)
        try:
            after = wish.apply(context, why, before.generation if before else 0)
        except ChannelConflict as error:
            if not wish.insists or attempt == _ATTEMPTS - 1:
                raise ChannelConflict(
                    error.message, "`pointsman history` shows by whom; nothing was changed by you."
                ) from error
        else:
            return Move(context.model, context.channel, before, after, wish.action)
    raise AssertionError("the last attempt returns or raises")
