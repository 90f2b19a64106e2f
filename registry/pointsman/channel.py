"""The channel: the one mutable object, and the rules by which it may change.

A channel names the version that serves (`stable`) by its digest, counts its changes
(`generation`), and remembers the last 200 of them. Pointer and history are one document, so
that one compare-and-swap moves both. Each write carries a nonce of its writer: equal-looking
documents of different writes are different bytes, and a writer whose answer was lost can tell
whether the document it finds is its own.

Everything here is pure: `pointsman.registry` reads, applies a transition, and writes.
"""

import msgspec

from pointsman import document
from pointsman.digest import hex_of
from pointsman.errors import InvalidDocument, InvalidName, NothingToRollBack
from pointsman.names import version_name
from pointsman.signing.statement import SIGNED, Signature

HISTORY_LIMIT = 200
TEXT_LIMIT = 1000
ACTIVATE = "activate"
ROLLBACK = "rollback"


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """A version, by name for people and by digest for machines."""

    version: str
    digest: str


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who changes a channel, when, why, and the nonce by which the write is recognised.

    The history keeps the first 1000 characters of `by` and `why`, so that no number of changes
    makes a channel too large to be read.
    """

    by: str
    at: str
    nonce: str
    why: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the history: what the channel named from this generation on."""

    generation: int
    action: str
    version: str
    digest: str
    by: str
    at: str
    why: str = ""

    @property
    def pointer(self) -> Pointer:
        """The version this change made stable."""
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
    signed: Signature | None = None


def activate(channel: Channel | None, target: Pointer, author: Author) -> Channel:
    """Make `target` stable; a channel that already serves it is returned as it is."""
    if channel is not None and channel.stable == target:
        return channel
    return _move(channel, target, ACTIVATE, author)


def renew(channel: Channel, author: Author) -> Channel:
    """Make what is stable stable again, as a change of its own: to sign it, or sign it anew."""
    return _move(channel, channel.stable, ACTIVATE, author)


def rollback(channel: Channel, author: Author, to: str | None = None) -> Channel:
    """Return to the version that served before the present one, or to version `to`.

    A version that was itself rolled back from is not "before": rolling back twice walks further
    into the past and never forward again. Raises `NothingToRollBack` when the history the
    channel still remembers has no such version.
    """
    earlier = _lineage(channel.history)[:-1]
    candidates = [pointer for pointer in earlier if to is None or pointer.version == to]
    if to == channel.stable.version:
        raise NothingToRollBack(f"{to} is what the channel serves now")
    if not candidates:
        present = channel.stable.version
        wanted = f"{to} did not serve before {present}" if to else f"{present} has no predecessor"
        raise NothingToRollBack(
            f"nothing to roll back to: {wanted} in this channel",
            "`pointsman history` lists what served; `pointsman activate VERSION` goes anywhere.",
        )
    return _move(channel, candidates[-1], ROLLBACK, author)


def previous(channel: Channel) -> Pointer | None:
    """Return the version that a plain rollback would go to, if there is one."""
    earlier = _lineage(channel.history)[:-1]
    return earlier[-1] if earlier else None


def encode(channel: Channel, replacing: bytes | None = None) -> bytes:
    """Return the channel's document, keeping members of `replacing` that this version ignores."""
    known = msgspec.to_builtins(channel)
    if replacing is None:
        return document.encode(known)
    old = document.members(replacing, "the channel as it was")
    old.pop(SIGNED, None)
    remembered = {entry["generation"]: entry for entry in old["history"]}
    if channel.stable == msgspec.convert(old["stable"], Pointer):
        known["stable"] = old["stable"] | known["stable"]
    known["history"] = [
        remembered.get(entry["generation"], {}) | entry for entry in known["history"]
    ]
    return document.encode(old | known)


def read(data: bytes, name: str) -> Channel:
    """Read a channel's document; raises `InvalidDocument` when it contradicts itself."""
    what = f"the channel {name}"
    channel = document.decode(data, Channel, what)
    try:
        version_name(channel.stable.version)
    except InvalidName as error:
        raise InvalidDocument(f"{what}: {error.message}") from error
    hex_of(channel.stable.digest)
    present = channel.history[-1] if channel.history else None
    if present is None or (present.generation, present.pointer) != (
        channel.generation,
        channel.stable,
    ):
        raise InvalidDocument(f"{what} does not agree with the last entry of its own history")
    return channel


def _move(channel: Channel | None, target: Pointer, action: str, author: Author) -> Channel:
    generation = channel.generation + 1 if channel else 1
    change = Change(
        generation=generation,
        action=action,
        version=target.version,
        digest=target.digest,
        by=author.by[:TEXT_LIMIT],
        at=author.at,
        why=author.why[:TEXT_LIMIT],
    )
    past = channel.history if channel else ()
    return Channel(
        schema=document.SCHEMA,
        generation=generation,
        stable=target,
        nonce=author.nonce,
        history=(*past, change)[-HISTORY_LIMIT:],
    )


def _lineage(history: tuple[Change, ...]) -> list[Pointer]:
    """Replay the history as a stack: activations push, rollbacks pop down to their target.

    A target older than what is remembered empties the stack: all that is left of it came later.
    """
    stack: list[Pointer] = []
    for change in history:
        if change.action == ROLLBACK:
            while stack and stack[-1] != change.pointer:
                stack.pop()
        if not stack or stack[-1] != change.pointer:
            stack.append(change.pointer)
    return stack
