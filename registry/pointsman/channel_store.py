"""Channels in a store: read one, apply a transition, write it if nobody else did meanwhile.

A write whose answer was lost is recognised as one's own. Where signatures are demanded, what is
written is signed, and vouches for every version that it names.
"""

import random
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from pointsman import channel as channels
from pointsman import keys
from pointsman.channel import Author, Channel
from pointsman.errors import (
    ChannelConflict,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreMisconfigured,
    StoreUnreachable,
)
from pointsman.signing.notary import Notary
from pointsman.stores.base import ObjectStore, StoredObject

_ATTEMPTS = 60
_LONGEST_PAUSE_SECONDS = 0.5

Transition = Callable[[Channel | None, Author], Channel]


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """Why and by whom a channel is changed; `if_generation` is the only one it is changed at."""

    why: str = ""
    by: str = ""
    if_generation: int | None = None

    def author(self) -> Author:
        """Return the author of a change that is made now, and here."""
        # Imported here: whoever only reads channels, as services do, starts sooner without it.
        from pointsman import authorship

        return Author(
            by=self.by or authorship.author(),
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            nonce=secrets.token_hex(8),
            why=self.why,
            host=authorship.host(),
        )


class ChannelStore:
    """The channels of one store."""

    def __init__(self, store: ObjectStore, notary: Notary) -> None:
        self._store = store
        self._notary = notary

    def read(self, model: str, name: str) -> tuple[Channel | None, StoredObject | None]:
        """Return a channel and the object it was read from, if it was ever written."""
        try:
            stored = self._store.get(keys.channel(model, name))
        except ObjectNotFound:
            return None, None
        return (channels.read(stored.data, name), stored) if stored else (None, None)

    def move(
        self,
        model: str,
        name: str,
        occasion: Occasion,
        transition: Transition,
        *,
        relies_on_past: bool = False,
    ) -> Channel:
        """Change a channel, and return it as it is then.

        `transition` may be called several times. Raises what it raises, `ChannelConflict` when
        others win every time, and `Untrusted` for a change that nobody would believe.
        """
        for attempt in range(_ATTEMPTS):
            present, stored = self.read(model, name)
            self._notary.require_signer(present)
            believed = stored is None or self._notary.believes(model, name, stored.data)
            _require_generation(present, occasion.if_generation)
            if relies_on_past and stored is not None:
                self._notary.check_past(model, name, stored.data)
            if present is not None and not believed:
                present = _alone(present)
            author = occasion.author()
            wanted = transition(present, author)
            if present is not None and wanted == present and not believed:
                wanted = channels.renew(present, author)
            if wanted == present or self._write(model, name, wanted, stored):
                return wanted
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.01 * 2**attempt)))  # noqa: S311
        raise ChannelConflict(
            f"others changed the channel {name} of {model} {_ATTEMPTS} times in a row",
            "Look at `pointsman history`, and try again.",
        )

    def _write(self, model: str, name: str, wanted: Channel, replaced: StoredObject | None) -> bool:
        """Write, and tell whether it is certain that the channel took `wanted`."""
        key = keys.channel(model, name)
        data = channels.encode(wanted, replaced.data if replaced else None)
        data = self._notary.sign_channel(model, name, data)
        try:
            if replaced is None:
                self._store.create(key, data)
                self._require_conditions(key, data)
            else:
                self._store.update(key, data, replaced.info.etag)
        except (ObjectExists, PreconditionFailed, StoreUnreachable) as error:
            # The answer may have been lost after the write took place: only reading tells.
            if self._took(model, name, wanted):
                return True
            if isinstance(error, StoreUnreachable):
                raise
            return False
        return True

    def _took(self, model: str, name: str, wanted: Channel) -> bool:
        try:
            present, _ = self.read(model, name)
        except StoreUnreachable as error:
            raise StoreUnreachable(
                f"the store does not tell whether the channel {name} of {model} changed: {error}",
                "`pointsman history` shows it once the store answers.",
            ) from error
        history = present.history if present else ()
        return any(change.nonce == wanted.nonce for change in history)

    def _require_conditions(self, key: str, data: bytes) -> None:
        """Refuse a store that takes a second create-only write: it would lose channel changes.

        Asked once in a channel's life, when the first document has just been created.
        """
        try:
            self._store.create(key, data)
        except (ObjectExists, StoreUnreachable):
            return
        with suppress(StoreError):
            self._store.delete(key)
        raise StoreMisconfigured(
            f"{self._store.url} ignores the conditions of writes, so that changes of a channel "
            "could undo each other unseen",
            "Use a store that knows If-None-Match on writes: S3, R2, Tigris and MinIO do.",
        )


def _alone(channel: Channel) -> Channel:
    """Return a channel that nobody believes without what would be vouched for unseen."""
    return msgspec.structs.replace(channel, canary=None, shadow=None)


def _require_generation(channel: Channel | None, wanted: int | None) -> None:
    present = channel.generation if channel else 0
    if wanted not in {None, present}:
        raise ChannelConflict(f"somebody else moved the channel to generation {present}")
