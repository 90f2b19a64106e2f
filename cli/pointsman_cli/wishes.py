"""Wishes: the ways in which an operator moves a channel, each as the change it stands for.

Every wish is applied at the generation that its operator has seen. Most do not insist when
somebody else was faster: what was meant for one state must not be done to another.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pointsman.channel import (
    ABORT,
    ACTIVATE,
    HEALTHY_SECONDS,
    PROMOTE,
    ROLLBACK,
    SET,
    SHADOW,
    START,
    Channel,
)
from pointsman_cli.context import Context

if TYPE_CHECKING:
    from pointsman.rollouts import Rollout


class Wish(Protocol):
    """A way to move a channel."""

    @property
    def insists(self) -> bool:
        """Whether it is still meant when somebody else has just moved the channel."""
        ...

    @property
    def action(self) -> str:
        """What the history calls it."""
        ...

    def apply(self, context: Context, why: str, generation: int) -> Channel:
        """Move the channel if it is at `generation`, and return it as it is then."""
        ...


@dataclass(frozen=True, slots=True)
class Activation:
    """The wish to make a version serve, whatever served before."""

    version: str
    again: bool = False
    insists = True
    action = ACTIVATE

    def apply(self, context: Context, why: str, generation: int) -> Channel:
        """Move the channel; a version that an instance refuses is not left to be gone back to."""
        return context.registry.activate(
            context.model,
            self.version,
            context.channel,
            why=why,
            if_generation=generation,
            again=self.again,
            discards=_refused_somewhere(context, generation),
        )


@dataclass(frozen=True, slots=True)
class Return:
    """The wish to go back: to a certain version, or to the last healthy one, or from a canary.

    Before what was seen: two operators who go back at once must not end up two steps back.
    """

    to: str | None
    healthy_seconds: float = HEALTHY_SECONDS
    insists = False
    action = ROLLBACK

    def apply(self, context: Context, why: str, generation: int) -> Channel:
        """Move the channel."""
        return context.registry.rollback(
            context.model,
            context.channel,
            to=self.to,
            why=why,
            if_generation=generation,
            healthy_seconds=self.healthy_seconds,
        )


@dataclass(frozen=True, slots=True)
class Start:
    """The wish to give a canary its first requests."""

    version: str
    weight: int
    force: bool = False
    insists = False
    action = START

    def apply(self, context: Context, why: str, generation: int) -> Channel:
        """Move the channel."""
        rollout = _rollout(context, why, generation)
        return rollout.start(self.version, self.weight, force=self.force)


@dataclass(frozen=True, slots=True)
class Weight:
    """The wish to give the canary more requests, or fewer."""

    weight: int
    insists = False
    action = SET

    def apply(self, context: Context, why: str, generation: int) -> Channel:
        """Move the channel."""
        return _rollout(context, why, generation).set(self.weight)


@dataclass(frozen=True, slots=True)
class Promotion:
    """The wish to make the canary stable."""

    insists = False
    action = PROMOTE

    def apply(self, context: Context, why: str, generation: int) -> Channel:
        """Move the channel."""
        return _rollout(context, why, generation).promote()


@dataclass(frozen=True, slots=True)
class Abortion:
    """The wish to give all requests back to the stable version."""

    insists = False
    action = ABORT

    def apply(self, context: Context, why: str, generation: int) -> Channel:
        """Move the channel."""
        return _rollout(context, why, generation).abort()


@dataclass(frozen=True, slots=True)
class Shadowing:
    """The wish to let a version compute along; without a version, none."""

    version: str | None
    percent: int = 0
    force: bool = False
    insists = False
    action = SHADOW

    def apply(self, context: Context, why: str, generation: int) -> Channel:
        """Move the channel."""
        rollout = _rollout(context, why, generation)
        if self.version is None:
            return rollout.end_shadow()
        return rollout.shadow(self.version, self.percent, force=self.force)


@dataclass(frozen=True, slots=True)
class Renewal:
    """The wish that instances which refuse what the channel names try it again."""

    action: str
    insists = False

    def apply(self, context: Context, why: str, generation: int) -> Channel:
        """Move the channel."""
        return _rollout(context, why, generation).renew()


def _rollout(context: Context, why: str, generation: int) -> "Rollout":
    return context.registry.rollout(
        context.model, context.channel, why=why, if_generation=generation
    )


def _refused_somewhere(context: Context, generation: int) -> bool:
    """Tell whether a live instance refuses what is stable now, as far as anybody can say."""
    from pointsman import fleet, heartbeat
    from pointsman.errors import StoreError

    try:
        instances = fleet.instances(context.fleet_store, context.model, context.channel)
    except StoreError:
        return False
    return any(
        beat.refused and beat.observed_generation == generation
        for beat in heartbeat.live(instances)
    )
