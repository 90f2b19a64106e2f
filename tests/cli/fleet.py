"""Instances without a service: they follow a channel and beat, and do as they are told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from pointsman import channel as channels
from pointsman import fleet, keys
from pointsman.channel import Channel, Pointer
from pointsman.errors import ObjectNotFound
from pointsman.heartbeat import Heartbeat, ServableReport
from pointsman.stores.base import ObjectStore

_LOOK_SECONDS = 0.02


def heartbeat(instance: str, model: str, generation: int, **changes: Any) -> Heartbeat:
    """A heartbeat of an instance that is well."""
    members: dict[str, Any] = {
        "schema": 1,
        "instance": instance,
        "model": model,
        "channel": "production",
        "status": "ok",
        "observed_generation": generation,
        "interval_seconds": 30.0,
        "started": "2026-01-01T00:00:00.000+00:00",
    }
    return Heartbeat(**(members | changes))


def having_failed(errors: int, version: str = "v1") -> ServableReport:
    """What an instance reports of a version with this many failed requests."""
    return ServableReport(
        version=version, digest="sha256:" + "0" * 64, state="ready", since="", errors=errors
    )


@dataclass(slots=True)
class FakeInstance:
    """Reports every generation of the channel: as served, or as refused if it is told to.

    With `traffic` it also beats at every look, and says what that says of a version's requests.
    """

    store: ObjectStore
    model: str
    name: str = "one"
    refuses: frozenset[str] = frozenset()
    because: str = ""
    """Why, if not for want of room."""
    silent_from: int = 1_000_000
    """The generation from which on it says nothing any more."""
    answers: Callable[[Channel], bool] = lambda _: True
    """Whether it says something to a generation; asked first, so that others can act before."""
    errors: int = 0
    old: bool = False
    """Whether it knows nothing of canaries and shadows."""
    traffic: Callable[[str, str], dict[str, Any]] | None = None
    """What a version did in a role, as members of its report."""
    _serving: tuple[str, str] = ("", "")
    _seen: int = 0
    _introduced: bool = False
    _ended: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Read the channel, and answer to a generation that is new."""
        try:
            stored = self.store.get(keys.channel(self.model, "production"))
        except ObjectNotFound:
            self._introduce()
            return
        assert stored is not None
        channel = channels.read(stored.data, "production")
        new = self._seen < channel.generation
        if (new or self.traffic) and channel.generation < self.silent_from:
            self._seen = channel.generation
            self._answer(channel)

    def follow(self) -> None:
        """Look until told to end."""
        while not self._ended.wait(_LOOK_SECONDS):
            self.look()

    def end(self) -> None:
        """Stop following."""
        self._ended.set()

    def _introduce(self) -> None:
        """Beat without a channel, as a service does that waits for one."""
        if not self._introduced:
            self._introduced = True
            fleet.beat(self.store, heartbeat(self.name, self.model, 0, status="loading"))

    def _answer(self, channel: Channel) -> None:
        if not self.answers(channel):
            return
        stable = channel.stable
        refused = self._reason(stable) if stable.version in self.refuses else ""
        if not refused:
            self._serving = (stable.version, stable.digest)
        beat = heartbeat(
            self.name,
            self.model,
            channel.generation,
            status="degraded" if refused else "ok",
            refused=refused,
            canary_refused=self._refused_beside(channel),
            serving=self._serving[0],
            serving_digest=self._serving[1],
            servables=tuple(self._reports(channel)),
        )
        fleet.beat(self.store, beat)

    def _refused_beside(self, channel: Channel) -> str:
        unwanted = [each for each in channel.named[1:] if each.version in self.refuses]
        return self._reason(unwanted[0]) if unwanted else ""

    def _reason(self, pointer: Pointer) -> str:
        return self.because or f"no room for {pointer.version}"

    def _reports(self, channel: Channel) -> Iterator[ServableReport]:
        yield self._report(channel.stable, "stable", errors=self.errors)
        for role, pointer in (("canary", channel.canary), ("shadow", channel.shadow)):
            if pointer and not self.old and pointer.version not in self.refuses:
                yield self._report(pointer, role)

    def _report(self, pointer: Pointer, role: str, **known: Any) -> ServableReport:
        members = known | (self.traffic(pointer.version, role) if self.traffic else {})
        return ServableReport(
            version=pointer.version,
            digest=pointer.digest,
            role=role,
            state="ready",
            since="",
            **members,
        )


@contextmanager
def following(*instances: FakeInstance) -> Iterator[None]:
    """Let instances follow their channel while the block runs; each has answered to what is."""
    with ExitStack() as stack:
        for instance in instances:
            instance.look()
            thread = threading.Thread(target=instance.follow)
            thread.start()
            stack.callback(thread.join)
            stack.callback(instance.end)
        yield
