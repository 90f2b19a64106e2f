"""An automatic rollout: more requests step by step, while what the instances report is good.

After every step the fleet is watched for a while. A limit that is broken, an instance that refuses
or does not answer ends the canary; a store that does not answer, or too few requests, only make
it wait. Ctrl-C leaves the weight where it is.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pointsman.channel import PROMOTE, Channel
from pointsman.errors import PointsmanError, StoreError, StoreUnreachable
from pointsman_cli.context import Context
from pointsman_cli.errors import Refused, Unconfirmed
from pointsman_cli.guard import Limits
from pointsman_cli.moves import Move
from pointsman_cli.moving import Patience, moved
from pointsman_cli.plans import document, rehearse
from pointsman_cli.step_watch import LOOK_SECONDS, StepWatch
from pointsman_cli.units import counted, duration
from pointsman_cli.wishes import Abortion, Activation, Promotion, Start, Weight, Wish

_ALL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The weights to go through, how long each is watched, and what ends the rollout."""

    version: str
    steps: tuple[int, ...]
    every_seconds: float
    limits: Limits
    why: str = ""
    force: bool = False


@dataclass(slots=True)
class Automation:
    """One automatic rollout, from its first step to its end."""

    context: Context
    schedule: Schedule
    patience: Patience
    _passed: list[dict[str, Any]] = field(default_factory=list)

    def run(self, channel: Channel) -> None:
        """Go through the steps that lie above the canary's present weight, and tell the outcome.

        Raises `Refused` when the canary was ended, `ChannelConflict` when somebody else moved the
        channel meanwhile.
        """
        begun = _runs(channel, self.schedule.version)
        done = None
        for step in self._ahead(channel):
            done = self._take(step, begun=begun)
            begun = True
            self._watch(done, step)
        if self.schedule.steps[-1] == _ALL:
            done = self._move(Promotion())
        self._finish(done)

    def tell_plan(self, channel: Channel) -> None:
        """Say what `run` would do, by what would be refused now."""
        schedule, ahead = self.schedule, self._ahead(channel)
        first = ahead[0] if ahead else _ALL
        begun = _runs(channel, schedule.version)
        start = Start(schedule.version, first, schedule.force)
        done = rehearse(self.context, Weight(first) if begun else start)
        promoted = ["promote"] if schedule.steps[-1] == _ALL else []
        steps = [*(f"{step} %" for step in ahead), *promoted]
        plan = f"{schedule.version}: {' → '.join(steps)}; each share for "
        least = counted(schedule.limits.least_requests, "request")
        plan += f"{duration(schedule.every_seconds)} and at least {least}"
        self.context.output.result(document(done) | {"plan": [plan], "steps": list(ahead)})
        self.context.output.data(plan)

    def _ahead(self, channel: Channel) -> tuple[int, ...]:
        """Return the weights to watch from here on: a last 100 is no weight, but the promotion."""
        running, steps = channel.canary, self.schedule.steps
        reached = running.weight if running and _runs(channel, self.schedule.version) else 0
        watched = steps[:-1] if steps[-1] == _ALL else steps
        return tuple(step for step in watched if step >= reached)

    def _take(self, weight: int, *, begun: bool) -> Move:
        start = Start(self.schedule.version, weight, self.schedule.force)
        return self._move(Weight(weight) if begun else start)

    def _move(self, wish: Wish) -> Move:
        """Take a step, and wait for the fleet; what keeps it from being confirmed ends it all."""
        while True:
            try:
                done, confirmation = moved(self.context, wish, self.schedule.why, self.patience)
            except (Refused, Unconfirmed) as error:
                self._return(error.message)
            except StoreUnreachable as error:
                self.context.output.step(f"{error.message}; trying again")
                time.sleep(LOOK_SECONDS)
                wish = self._still(wish)
            else:
                break
        self.context.output.success(done.sentence(confirmation))
        self._stands(done)
        return done

    def _still(self, wish: Wish) -> Wish:
        """Return what is left of a wish whose outcome is not known: it may have been granted."""
        with suppress(StoreError):
            channel = self.context.registry.channel(self.context.model, self.context.channel)
            promoted = channel.canary is None and channel.stable.version == self.schedule.version
            if promoted and wish.action == PROMOTE:
                return Activation(self.schedule.version)
        return wish

    def _watch(self, done: Move, weight: int) -> None:
        """Return once the step has held for long enough, and enough requests were answered."""
        canary, schedule = done.after.canary, self.schedule
        if canary is None:
            raise ValueError("only a canary is watched")
        watched = StepWatch(
            self.context, done.after, canary, schedule.every_seconds, schedule.limits
        ).run()
        if watched.reason:
            self._return(watched.reason)
        seconds = round(watched.seconds, 1)
        self._passed.append({"weight": weight, "seconds": seconds} | watched.canary.document())
        self.context.output.step(watched.sentence(weight))

    def _stands(self, done: Move) -> None:
        canary = done.after.canary
        if canary is not None:
            self.context.stands(
                f"{canary.version} keeps {canary.weight} % of the requests: the same command goes "
                "on from there, `pointsman rollout abort` ends it.",
                **done.document(None),
                steps=self._passed,
            )

    def _return(self, reason: str) -> NoReturn:
        """End the canary, and raise why."""
        outcome = {"outcome": "returned", "reason": reason}
        self.context.output.step("ending the rollout: everything returns to the stable version")
        try:
            done, confirmation = moved(
                self.context, Abortion(), reason, Patience(wait=True, seconds=60.0, keep=True)
            )
        except PointsmanError as error:
            raise Refused(
                f"{reason}; and the canary was not ended for certain: {error.message}",
                "`pointsman rollout abort` ends it.",
                outcome | {"steps": self._passed},
            ) from error
        told = done.document(confirmation) | outcome | {"steps": self._passed}
        raise Refused(reason, f"The rollout was ended: {done.sentence(confirmation)}.", told)

    def _finish(self, done: Move | None) -> None:
        output = self.context.output
        if done is None:
            output.result({"outcome": "unchanged", "steps": []})
            output.success("there was no step left to take")
            return
        outcome = "promoted" if done.after.canary is None else "held"
        output.result(
            self.context.facts
            | done.document(None)
            | {"outcome": outcome, "reason": "", "steps": self._passed}
        )


def _runs(channel: Channel, version: str) -> bool:
    return channel.canary is not None and channel.canary.version == version
