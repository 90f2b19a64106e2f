"""An automatic rollout: more requests step by step, while what the instances report is good.

After every step the fleet is watched for a while. A limit that is broken, an instance that refuses
or does not answer ends the canary; a store that does not answer, or too few requests, only make
it wait. Ctrl-C leaves the weight where it is.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pointsman import fleet, heartbeat
from pointsman.channel import PROMOTE, Canary, Channel
from pointsman.errors import ChannelConflict, PointsmanError, StoreError, StoreUnreachable
from pointsman.heartbeat import Heartbeat
from pointsman_cli import guard
from pointsman_cli.context import Context
from pointsman_cli.errors import Refused, Unconfirmed
from pointsman_cli.guard import Limits
from pointsman_cli.moves import Move
from pointsman_cli.moving import Patience, moved
from pointsman_cli.plans import rehearse
from pointsman_cli.traffic import Meter, Reading
from pointsman_cli.units import counted, duration
from pointsman_cli.wishes import Abortion, Activation, Promotion, Start, Weight, Wish

_LOOK_SECONDS = 1.0
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
    _lookout: fleet.Lookout | None = None

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
        plan += f"{duration(schedule.every_seconds)} or {schedule.limits.least_requests} requests"
        told = done.document(None) | {"dry_run": True, "plan": [plan], "steps": list(ahead)}
        self.context.output.result(told)
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
                time.sleep(_LOOK_SECONDS)
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
        canary = done.after.canary
        if canary is None:
            raise ValueError("only a canary is watched")
        meter = Meter()
        started = time.monotonic()
        beating = self._beating()
        meter.begin(beating or [])
        with self.context.output.waiting(f"watching {canary.version}") as update:
            while True:
                seconds = time.monotonic() - started
                held = seconds >= self.schedule.every_seconds
                self._require_unmoved(done)
                beating = self._beating(seconds if held else None)
                if beating is not None:
                    reading, stable = self._readings(meter, done.after, canary, beating)
                    if reason := guard.breach(reading, stable, self.schedule.limits):
                        self._return(reason)
                    if held and not guard.missing(reading, self.schedule.limits):
                        break
                    update(self._progress(reading, seconds, weight))
                else:
                    update("waiting for what every instance reports")
                time.sleep(min(_LOOK_SECONDS, self.schedule.every_seconds / 4))
        self._passed.append({"weight": weight, "seconds": round(seconds, 1)} | reading.document())
        self.context.output.step(
            f"{canary.version} at {weight} % for {duration(seconds)}: {_told(reading)}, "
            f"p99 {duration(reading.p99_seconds)} (stable {duration(stable.p99_seconds)})"
        )

    def _readings(
        self, meter: Meter, channel: Channel, canary: Canary, beating: list[Heartbeat]
    ) -> tuple[Reading, Reading]:
        stable = channel.stable
        return (
            meter.read(canary.version, canary.digest, beating),
            meter.read(stable.version, stable.digest, beating),
        )

    def _beating(self, since_seconds: float | None = None) -> list[Heartbeat] | None:
        """Return live instances' heartbeats; None while they, or newer ones, are not to be had.

        With `since_seconds`, each must have been written since then.
        """
        context = self.context
        if self._lookout is None:
            self._lookout = fleet.Lookout(context.fleet_store, context.model, context.channel)
        try:
            found = self._lookout.look()
        except StoreError:
            return None
        live = [each for each in found if each.live]
        if since_seconds is not None and (
            not live or any(each.age.total_seconds() > since_seconds for each in live)
        ):
            return None
        return heartbeat.live(live)

    def _require_unmoved(self, done: Move) -> None:
        try:
            channel = self.context.registry.channel(done.model, done.channel)
        except StoreError:
            return
        if channel.generation != done.after.generation:
            last = channel.history[-1]
            raise ChannelConflict(
                f"somebody else moved the channel: {last.by} did `{last.action}`",
                "The rollout goes no further by itself, and leaves the channel as it is: "
                "`pointsman rollout status` shows it.",
            )

    def _progress(self, reading: Reading, seconds: float, weight: int) -> str:
        every = self.schedule.every_seconds
        short = guard.missing(reading, self.schedule.limits)
        waits = f" · {short} more needed" if short and seconds >= every else ""
        of = f"{duration(min(seconds, every))} of {duration(every)}"
        return f"{reading.version} at {weight} % · {of} · {_told(reading)}{waits}"

    def _stands(self, done: Move) -> None:
        canary = done.after.canary
        if canary is not None:
            self.context.stands(
                f"{canary.version} keeps {canary.weight} % of the requests: `pointsman rollout "
                f"auto {canary.version}` goes on, `pointsman rollout abort` ends it.",
                **done.document(None),
                steps=self._passed,
            )

    def _return(self, reason: str) -> NoReturn:
        """End the canary, and raise why."""
        output, document = self.context.output, {"outcome": "returned", "reason": reason}
        output.warn(reason)
        try:
            done, confirmation = moved(
                self.context, Abortion(), reason, Patience(wait=True, seconds=60.0, keep=True)
            )
        except PointsmanError as error:
            raise Refused(
                f"{reason}; and the canary was not ended for certain: {error.message}",
                "`pointsman rollout abort` ends it.",
                document | {"steps": self._passed},
            ) from error
        told = done.document(confirmation) | document | {"steps": self._passed}
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


def _told(reading: Reading) -> str:
    return f"{counted(reading.requests, 'request')}, {counted(reading.errors, 'error')}"
