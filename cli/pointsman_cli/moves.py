"""Moves of a channel: what is wished for, what was done, and how both are told."""

from dataclasses import dataclass
from typing import Any, Protocol

from pointsman.channel import Channel
from pointsman.errors import ChannelConflict, NotFound
from pointsman.heartbeat import Verdict
from pointsman_cli.confirmation import Confirmation, Goal
from pointsman_cli.context import Context
from pointsman_cli.units import counted, duration

_ATTEMPTS = 10


class Wish(Protocol):
    """A way to move a channel."""

    insists: bool
    """Whether it is still meant when somebody else has just moved the channel."""

    def apply(self, context: Context, why: str, generation: int) -> Channel:
        """Move the channel if it is at `generation`, and return it as it is then."""
        ...


@dataclass(frozen=True, slots=True)
class Activation:
    """The wish to make a version serve, whatever served before."""

    version: str
    insists = True

    def apply(self, context: Context, why: str, generation: int) -> Channel:
        """Move the channel."""
        model, channel = context.model, context.channel
        return context.registry.activate(
            model, self.version, channel, why=why, if_generation=generation
        )


@dataclass(frozen=True, slots=True)
class Return:
    """The wish to go back, to a certain version or to the one before.

    Before what was seen: two operators who go back at once must not end up two steps back.
    """

    to: str | None
    insists = False

    def apply(self, context: Context, why: str, generation: int) -> Channel:
        """Move the channel."""
        model, channel = context.model, context.channel
        return context.registry.rollback(
            model, channel, to=self.to, why=why, if_generation=generation
        )


@dataclass(frozen=True, slots=True)
class Move:
    """What was done to the channel."""

    model: str
    channel: str
    before: Channel | None
    after: Channel

    @property
    def origin(self) -> str | None:
        """The version the channel named before."""
        return self.before.stable.version if self.before else None

    @property
    def changed(self) -> bool:
        """Whether the channel was moved at all: it may have named the version already."""
        return self.before is None or self.before.generation != self.after.generation

    @property
    def goal(self) -> Goal:
        """What the fleet has to confirm."""
        stable = self.after.stable
        return Goal(self.after.generation, stable.version, stable.digest)

    def document(self, confirmation: Confirmation | None) -> dict[str, Any]:
        """Return what `--json` gives; without a confirmation, nobody was asked."""
        told = confirmation or Confirmation()
        return {
            "model": self.model,
            "channel": self.channel,
            "generation": self.after.generation,
            "from": self.origin,
            "to": self.after.stable.version,
            "seconds": round(told.seconds, 3) if confirmation else None,
            "instances": [answer.document() for answer in told.answers],
            "stale": list(told.stale),
            "failed_requests": told.failed_requests if confirmation else None,
        }

    def sentence(self, confirmation: Confirmation | None) -> str:
        """Return what people read when all went well."""
        version = self.goal.version
        names = f"{self.channel} names {version}" + ("" if self.changed else " already")
        was = f" · was {self.origin}" if self.origin and self.origin != version else ""
        if confirmation is None:
            return f"{names}{was} · nobody was waited for"
        total = len(confirmation.answers)
        if not total:
            return f"{names}{was} · no instance is running to serve it yet"
        serving = len(confirmation.having(Verdict.SERVING))
        if not self.changed:
            return f"{names} · {serving}/{total} serve it"
        failed = counted(confirmation.failed_requests, "failed request")
        return f"{serving}/{total} on {version} in {duration(confirmation.seconds)} · {failed}{was}"


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
            return Move(context.model, context.channel, before, after)
    raise AssertionError("the last attempt returns or raises")
