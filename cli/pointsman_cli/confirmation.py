"""Waiting for the fleet: what every live instance makes of a generation, and how long it took.

The channel is moved before this begins; here it is only watched, through the heartbeats that
instances write the moment they have dealt with a generation. A store that does not answer for a
while is waited for like an instance: the channel has moved, and that must be told in any case.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pointsman import fleet, heartbeat
from pointsman.errors import StoreError
from pointsman.heartbeat import Heartbeat, Instance, Verdict
from pointsman.stores.base import ObjectStore

_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Goal:
    """What is waited for: that a channel's generation serves `digest`.

    `beside` are digests of a canary or shadow that has to be there too; then `version` is theirs.
    `subject` is how people call what is waited for.
    """

    generation: int
    version: str
    digest: str
    beside: tuple[str, ...] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Where one instance stands, and how many seconds after the change it got there."""

    instance: str
    verdict: Verdict
    version: str
    seconds: float | None
    reason: str = ""
    subject: str = ""
    """What it serves, as the goal calls it."""

    def document(self) -> dict[str, Any]:
        """Return the instance's part of `--json`."""
        return {
            "id": self.instance,
            "state": str(self.verdict),
            "version": self.version,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the fleet answered.

    `stale` are instances that stopped beating, and `resting` those that follow when they are asked
    for a prediction; neither were waited for. `trouble` says why the heartbeats could not be read
    at the last look.
    """

    answers: tuple[Answer, ...] = ()
    seconds: float = 0.0
    failed_requests: int = 0
    stale: tuple[str, ...] = ()
    resting: tuple[str, ...] = ()
    trouble: str = ""

    def having(self, verdict: Verdict) -> list[Answer]:
        """Return the answers with this verdict."""
        return [answer for answer in self.answers if answer.verdict is verdict]

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to wait for."""
        refused = self.having(Verdict.REFUSED)
        return bool(refused) or not (self.trouble or self.having(Verdict.WAITING))

    @property
    def confirmed(self) -> bool:
        """Whether every live instance is known to serve what was wished for."""
        return not self.trouble and len(self.having(Verdict.SERVING)) == len(self.answers)


@dataclass(slots=True)
class Watch:
    """Looks at the fleet again and again, and remembers when each instance answered."""

    store: ObjectStore
    model: str
    channel: str
    tell: Callable[[Answer], None]
    failed_before: Mapping[str, int] = field(default_factory=dict)
    _answered: dict[str, Answer] = field(default_factory=dict)
    _last: Confirmation = field(default_factory=Confirmation)
    _lookout: fleet.Lookout | None = None

    def begin(self) -> None:
        """Note how many requests had failed before the change; raises `StoreError`."""
        self.failed_before = _failed(heartbeat.live(self._instances()))

    def refused_somewhere(self, goal: Goal) -> bool:
        """Tell whether a live instance refuses what is wished for already; raises `StoreError`."""
        beating = heartbeat.live(self._instances())
        asked = (goal.generation, goal.digest, goal.beside)
        return any(heartbeat.judge(beat, *asked) is Verdict.REFUSED for beat in beating)

    def until_settled(
        self,
        goal: Goal,
        started: float,
        timeout: float,
        show: Callable[[Confirmation], None] = lambda _: None,
    ) -> Confirmation:
        """Return when every live instance answered, one refused, or `timeout` seconds passed.

        `started` is when the change was made, by `time.monotonic`; `show` hears of every look.
        """
        self._answered.clear()
        deadline = started + timeout
        while True:
            self._last = self._look(goal, started)
            remaining = deadline - time.monotonic()
            if self._last.settled or remaining <= 0:
                return self._last
            show(self._last)
            time.sleep(min(_LOOK_SECONDS, remaining))

    def _look(self, goal: Goal, started: float) -> Confirmation:
        try:
            instances = self._instances()
        except StoreError as error:
            return replace(self._last, trouble=error.message)
        beating = heartbeat.live(instances)
        seconds = time.monotonic() - started
        answers = tuple(self._answer(each, goal, seconds) for each in beating)
        after = _failed(beating)
        failed = sum(
            max(0, after[name] - self.failed_before.get(name, after[name])) for name in after
        )
        stale = tuple(
            each.heartbeat.instance for each in instances if not (each.live or each.asleep)
        )
        resting = tuple(each.heartbeat.instance for each in instances if each.asleep)
        last = max((answer.seconds or 0.0 for answer in answers), default=0.0)
        return Confirmation(answers, last, failed, stale, resting)

    def _answer(self, beat: Heartbeat, goal: Goal, seconds: float) -> Answer:
        if (known := self._answered.get(beat.instance)) is not None:
            return known
        verdict = heartbeat.judge(beat, goal.generation, goal.digest, goal.beside)
        if verdict is Verdict.WAITING:
            return Answer(beat.instance, verdict, beat.serving, None)
        reason = (beat.refused or beat.canary_refused) if verdict is Verdict.REFUSED else ""
        subject = goal.subject if verdict is Verdict.SERVING else beat.serving
        answer = Answer(beat.instance, verdict, beat.serving, seconds, reason, subject)
        self._answered[beat.instance] = answer
        self.tell(answer)
        return answer

    def _instances(self) -> list[Instance]:
        if self._lookout is None or self._lookout.store is not self.store:
            self._lookout = fleet.Lookout(self.store, self.model, self.channel)
        return self._lookout.look()


def _failed(beating: Iterable[Heartbeat]) -> dict[str, int]:
    return {each.instance: each.failed for each in beating}
