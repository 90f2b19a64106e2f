"""Watching one step of an automatic rollout: until it has held for long enough, or broke a limit.

The fleet is looked at about once a second. What cannot be read is waited for, and so is a word of
every instance that is newer than the step.
"""

import time
from dataclasses import dataclass, field

from pointsman import fleet, heartbeat
from pointsman.channel import Canary, Channel
from pointsman.errors import ChannelConflict, StoreError
from pointsman.heartbeat import Heartbeat
from pointsman_cli import guard
from pointsman_cli.context import Context
from pointsman_cli.guard import Limits
from pointsman_cli.traffic import Meter, Reading
from pointsman_cli.units import counted, duration

LOOK_SECONDS = 1.0
_LEAST_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a step came to: `reason` says which limit was broken; "" when it held."""

    canary: Reading
    stable: Reading
    seconds: float
    reason: str = ""

    def sentence(self, weight: int) -> str:
        """Render it in one line."""
        return (
            f"{self.canary.version} at {weight} % for {duration(self.seconds)}: "
            f"{_told(self.canary)}, p99 {duration(self.canary.p99_seconds)} "
            f"(stable {duration(self.stable.p99_seconds)})"
        )


@dataclass(slots=True)
class StepWatch:
    """One step: the channel as it is during it, how long it has to hold, and what ends it."""

    context: Context
    channel: Channel
    canary: Canary
    every_seconds: float
    limits: Limits
    _started: float = field(default_factory=time.monotonic)
    _meter: Meter | None = None
    _lookout: fleet.Lookout | None = None

    def run(self) -> Watched:
        """Watch; raises `ChannelConflict` when somebody else moved the channel."""
        with self.context.output.waiting(f"watching {self.canary.version}") as update:
            while True:
                self._require_unmoved()
                if (watched := self._look()) is None:
                    update("waiting for what every instance reports")
                elif self._ended(watched):
                    return watched
                else:
                    update(self._progress(watched))
                time.sleep(max(_LEAST_PAUSE_SECONDS, min(LOOK_SECONDS, self.every_seconds / 4)))

    def _ended(self, watched: Watched) -> bool:
        held = watched.seconds >= self.every_seconds
        return bool(watched.reason) or (held and not guard.missing(watched.canary, self.limits))

    def _look(self) -> Watched | None:
        """Judge what is reported; None while that, or what is new enough, cannot be had."""
        seconds = time.monotonic() - self._started
        beating = self._beating(seconds if seconds >= self.every_seconds else None)
        if beating is None:
            return None
        if self._meter is None:
            self._meter = Meter()
            self._meter.begin(beating)
        canary = self._meter.read(self.canary.version, self.canary.digest, beating)
        named = self.channel.stable
        stable = self._meter.read(named.version, named.digest, beating)
        reason = guard.breach(canary, stable, self.limits)
        return Watched(canary=canary, stable=stable, seconds=seconds, reason=reason)

    def _beating(self, newer_than_seconds: float | None) -> list[Heartbeat] | None:
        context = self.context
        if self._lookout is None:
            self._lookout = fleet.Lookout(context.fleet_store, context.model, context.channel)
        try:
            found = self._lookout.look()
        except StoreError:
            return None
        live = [each for each in found if each.live]
        if newer_than_seconds is not None and (
            not live or any(each.age.total_seconds() > newer_than_seconds for each in live)
        ):
            return None
        return heartbeat.live(live)

    def _require_unmoved(self) -> None:
        context = self.context
        try:
            channel = context.registry.channel(context.model, context.channel)
        except StoreError:
            return
        if channel.generation != self.channel.generation:
            last = channel.history[-1]
            raise ChannelConflict(
                f"somebody else moved the channel: {last.by} did `{last.action}`",
                "The rollout goes no further by itself, and leaves the channel as it is: "
                "`pointsman rollout status` shows it.",
            )

    def _progress(self, watched: Watched) -> str:
        every, reading = self.every_seconds, watched.canary
        short = guard.missing(reading, self.limits)
        waits = f" · {short} more needed" if short and watched.seconds >= every else ""
        of = f"{duration(min(watched.seconds, every))} of {duration(every)}"
        return f"{reading.version} at {self.canary.weight} % · {of} · {_told(reading)}{waits}"


def _told(reading: Reading) -> str:
    return f"{counted(reading.requests, 'request')}, {counted(reading.errors, 'error')}"
