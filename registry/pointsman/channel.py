"""The channel: the one mutable object, and the rules by which its stable version may change.

A channel names the version that serves (`stable`) by its digest, counts its changes
(`generation`), and remembers the last 200 of them. Beside it there may be a canary, which
answers a share of the requests, and a shadow, which only computes along. All of that and the
history are one document, so that one compare-and-swap moves it. Each write carries a nonce of its
writer: equal-looking documents of different writes are different bytes, and a writer whose answer
was lost can tell whether the document it finds is its own.

Everything here is pure: `pointsman.registry` reads, applies a transition, and writes. How
canary and shadow change is in `pointsman.rollout`.
"""

from typing import Annotated, Any

import msgspec

from pointsman import document
from pointsman.digest import hex_of
from pointsman.errors import InvalidDocument, InvalidName, InvalidRollout, NothingToRollBack
from pointsman.lineage import GOES_BACK, lineage, stretches
from pointsman.names import version_name
from pointsman.signing.statement import SIGNED, Signature

HISTORY_LIMIT = 200
TEXT_LIMIT = 1000
HOST_LIMIT = 253
HEALTHY_SECONDS = 600.0
"""How long a version must have been stable to be what a rollback goes to."""

ACTIVATE = "activate"
ROLLBACK = GOES_BACK
START = "start"
SET = "set"
PROMOTE = "promote"
ABORT = "abort"
SHADOW = "shadow"


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """A version, by name for people and by digest for machines."""

    version: str
    digest: str


class Canary(Pointer, frozen=True, kw_only=True):
    """A version that answers `weight` percent of the requests; 0 lets it wait, loaded."""

    weight: Annotated[int, msgspec.Meta(ge=0, le=100)]


class Shadow(Pointer, frozen=True, kw_only=True):
    """A version that computes along for `percent` of the requests, and never answers one."""

    percent: Annotated[int, msgspec.Meta(ge=1, le=100)]


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who changes a channel, when, why, from where, and the nonce that tells the write.

    The history keeps the first 1000 characters of `by` and `why`, so that no number of changes
    makes a channel too large to be read.
    """

    by: str
    at: str
    nonce: str
    why: str = ""
    host: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the history: what the channel named from this generation on.

    `version` and `digest` are those of the stable version, whatever was changed. A change that
    `discards` leaves a stable version that an instance had refused: no rollback goes there. By the
    `nonce` its writer finds it: two who do the same in the same millisecond look alike.
    """

    generation: int
    action: str
    version: str
    digest: str
    by: str
    at: str
    why: str = ""
    host: str = ""
    canary: Canary | None = None
    shadow: Shadow | None = None
    discards: bool = False
    nonce: str = ""

    @property
    def pointer(self) -> Pointer:
        """The version that was stable after this change."""
        return Pointer(version=self.version, digest=self.digest)


class Channel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of one channel; the last change of its history describes the present.

    `signed` speaks of exactly one state: every change begins without it.
    """

    schema: int
    generation: int
    stable: Pointer
    nonce: str
    history: tuple[Change, ...]
    canary: Canary | None = None
    shadow: Shadow | None = None
    signed: Signature | None = None

    @property
    def named(self) -> tuple[Pointer, ...]:
        """Every version that an instance has to hold: stable, canary, shadow."""
        return tuple(each for each in (self.stable, self.canary, self.shadow) if each is not None)


def activate(
    channel: Channel | None, target: Pointer, author: Author, *, discards: bool = False
) -> Channel:
    """Make `target` stable; a channel that already serves it is returned as it is.

    With `discards`, what was stable is not gone back to. Raises `InvalidRollout` while a canary
    runs: which of the two shall answer is not said.
    """
    if channel is None:
        return change(None, ACTIVATE, author, stable=target)
    if channel.stable == target:
        return channel
    if channel.canary is not None:
        raise _canary_runs(channel.canary, target)
    shadow = channel.shadow
    return change(channel, ACTIVATE, author, stable=target, shadow=shadow, discards=discards)


def renew(channel: Channel, author: Author, action: str = ACTIVATE) -> Channel:
    """Let the same versions serve as a change of its own: for a signature, or a new try."""
    stable, canary, shadow = channel.stable, channel.canary, channel.shadow
    return change(channel, action, author, stable=stable, canary=canary, shadow=shadow)


def rollback(
    channel: Channel,
    author: Author,
    to: str | None = None,
    healthy_seconds: float = HEALTHY_SECONDS,
) -> Channel:
    """End the canary if one runs; else return to an earlier version: see `previous`.

    With `to`, return to that version, and end the canary too. A version that was itself rolled
    back from is not "earlier": rolling back twice walks further into the past and never forward
    again. Raises `NothingToRollBack` when the history the channel still remembers has no such
    version.
    """
    if to is None and channel.canary is not None:
        return change(channel, ABORT, author, stable=channel.stable, shadow=channel.shadow)
    if to == channel.stable.version:
        raise NothingToRollBack(f"{to} is what the channel serves now")
    target = previous(channel, healthy_seconds) if to is None else _served_before(channel, to)
    if target is None:
        present = channel.stable.version
        wanted = f"{to} did not serve before {present}" if to else f"{present} has no predecessor"
        raise NothingToRollBack(
            f"nothing to roll back to: {wanted} in this channel",
            "`pointsman history` lists what served; `pointsman activate VERSION` goes anywhere.",
        )
    return change(channel, ROLLBACK, author, stable=target, shadow=channel.shadow)


def previous(channel: Channel, healthy_seconds: float = HEALTHY_SECONDS) -> Pointer | None:
    """Return the version that a plain rollback would go to, if there is one.

    It is the last that was stable for `healthy_seconds` at a stretch, by the clocks of those
    who moved the channel, and was left by an activation; the last of all if none was for so long.
    """
    earlier = lineage(channel.history)[:-1]
    if not earlier:
        return None
    lasted = stretches(channel.history)
    healthy = [pointer for pointer in earlier if lasted.get(pointer, 0.0) >= healthy_seconds]
    return (healthy or earlier)[-1]


def change(
    channel: Channel | None,
    action: str,
    author: Author,
    *,
    stable: Pointer,
    canary: Canary | None = None,
    shadow: Shadow | None = None,
    discards: bool = False,
) -> Channel:
    """Return the channel after a change that leaves it with exactly these versions.

    A shadow of what answers requests itself is of no use, and ends.
    """
    if shadow is not None and shadow.digest in {stable.digest, canary.digest if canary else ""}:
        shadow = None
    generation = channel.generation + 1 if channel else 1
    entry = Change(
        generation=generation,
        action=action,
        version=stable.version,
        digest=stable.digest,
        by=author.by[:TEXT_LIMIT],
        at=author.at,
        why=author.why[:TEXT_LIMIT],
        host=author.host[:HOST_LIMIT],
        canary=canary,
        shadow=shadow,
        discards=discards,
        nonce=author.nonce,
    )
    past = channel.history if channel else ()
    return Channel(
        schema=document.SCHEMA,
        generation=generation,
        stable=entry.pointer,
        canary=canary,
        shadow=shadow,
        nonce=author.nonce,
        history=(*past, entry)[-HISTORY_LIMIT:],
    )


def encode(channel: Channel, replacing: bytes | None = None) -> bytes:
    """Return the channel's document, keeping members of `replacing` that this version ignores."""
    known = msgspec.to_builtins(channel)
    if replacing is None:
        return document.encode(known)
    old = document.members(replacing, "the channel as it was")
    remembered = {entry["generation"]: entry for entry in old["history"]}
    for role in _ROLES:
        before, now = old.pop(role, None), known.get(role)
        if before and now and before["digest"] == now["digest"]:
            known[role] = before | now
    old.pop(SIGNED, None)
    known["history"] = [
        remembered.get(entry["generation"], {}) | entry for entry in known["history"]
    ]
    return document.encode(old | known)


def read(data: bytes, name: str) -> Channel:
    """Read a channel's document; raises `InvalidDocument` when it contradicts itself."""
    what = f"the channel {name}"
    channel = document.decode(data, Channel, what)
    for pointer in channel.named:
        try:
            version_name(pointer.version)
        except InvalidName as error:
            raise InvalidDocument(f"{what}: {error.message}") from error
        hex_of(pointer.digest)
    if len({pointer.digest for pointer in channel.named}) < len(channel.named):
        raise InvalidDocument(f"{what} names a version twice: stable, canary and shadow differ")
    last = channel.history[-1] if channel.history else None
    if last is None or _state(last, last.pointer) != _state(channel, channel.stable):
        raise InvalidDocument(f"{what} does not agree with the last entry of its own history")
    return channel


_ROLES = ("stable", "canary", "shadow")


def _state(of: Channel | Change, stable: Pointer) -> tuple[Any, ...]:
    return (of.generation, stable, of.canary, of.shadow)


def _canary_runs(canary: Canary, target: Pointer) -> InvalidRollout:
    message = f"the canary {canary.version} runs, and gets {canary.weight} % of the requests"
    if canary.digest == target.digest:
        return InvalidRollout(message, "`pointsman rollout promote` gives it all of them.")
    return InvalidRollout(
        f"{message}: {target.version} cannot be activated beside it",
        "End it first: `pointsman rollout abort`, or `pointsman rollout promote`.",
    )


def _served_before(channel: Channel, version: str) -> Pointer | None:
    earlier = lineage(channel.history)[:-1]
    return next((each for each in reversed(earlier) if each.version == version), None)
