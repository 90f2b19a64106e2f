"""Rollouts in a store: what `pointsman.rollout` says may be done to a channel, done.

    registry.rollout("digits", why="better on sevens").start("v3", weight=5)

A version that takes or gives other tensors than the stable one would fail half of the clients at
random: it becomes canary or shadow only where that is insisted on.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from pointsman import keys, rollout
from pointsman.channel import SET, Author, Channel, Pointer, renew
from pointsman.channel_store import ChannelStore, Occasion
from pointsman.errors import InvalidRollout, NotFound, ObjectNotFound, PointsmanError, StoreError
from pointsman.manifest import Version

if TYPE_CHECKING:
    from pointsman.registry import Registry

Change = Callable[[Channel, Author], Channel]


class Rollout:
    """The canary and the shadow of one channel; every method returns the channel as it is then.

    All raise `InvalidRollout` for what cannot be, `NotFound` for a channel in which nothing is
    active, and `ChannelConflict` and `Untrusted` as `Registry.activate` does.
    """

    def __init__(
        self,
        registry: "Registry",
        channels: ChannelStore,
        model: str,
        name: str,
        occasion: Occasion,
    ) -> None:
        self._registry = registry
        self._channels = channels
        self._model = model
        self._name = name
        self._occasion = occasion

    def start(self, version: str, weight: int, *, force: bool = False) -> Channel:
        """Let a version answer `weight` percent of the requests, from 0 to 100."""
        target = self._found(version)
        return self._beside(
            target,
            lambda channel, author: rollout.start(channel, _pointer(target), weight, author),
            rollout.abort,
            force=force,
        )

    def set(self, weight: int) -> Channel:
        """Let the canary answer `weight` percent of the requests."""
        return self._move(lambda channel, author: rollout.set_weight(channel, weight, author))

    def promote(self) -> Channel:
        """Make the canary stable."""
        return self._move(rollout.promote)

    def abort(self) -> Channel:
        """Give all requests back to the stable version."""
        return self._move(rollout.abort)

    def renew(self) -> Channel:
        """Change nothing but the generation: an instance that refused a version tries again."""
        return self._move(lambda channel, author: renew(channel, author, SET))

    def shadow(self, version: str, percent: int, *, force: bool = False) -> Channel:
        """Let a version compute along for `percent` of the requests, from 1 to 100."""
        target = self._found(version)
        return self._beside(
            target,
            lambda channel, author: rollout.shadow(channel, _pointer(target), percent, author),
            rollout.end_shadow,
            force=force,
        )

    def end_shadow(self) -> Channel:
        """Let no version compute along."""
        return self._move(rollout.end_shadow)

    def _found(self, version: str) -> Version:
        found = self._registry.version(self._model, version)
        self._registry.notary.check_version(self._registry.store, found)
        return found

    def _beside(self, target: Version, change: Change, undo: Change, *, force: bool) -> Channel:
        """Put a version beside the stable one, unless their tensors differ, or it is gone."""

        def begin(channel: Channel, author: Author) -> Channel:
            wanted = change(channel, author)
            if wanted is not channel and not force:
                self._require_same_tensors(channel.stable, target)
            return wanted

        moved = self._move(begin)
        try:
            self._registry.store.head(keys.manifest(self._model, target.manifest.version))
        except ObjectNotFound:
            with suppress(PointsmanError):  # a prune overtook: see `pointsman.pruning`
                self._move(undo, moved.generation)
            raise NotFound(
                f"{target.manifest.version} of {self._model} was removed while it began",
                "`pointsman models list` shows what there is.",
            ) from None
        except StoreError:
            return moved  # the channel has moved, and the version was there a moment ago
        return moved

    def _move(self, change: Change, if_generation: int | None = None) -> Channel:
        occasion = self._occasion
        if if_generation is not None:
            occasion = Occasion(why=occasion.why, by=occasion.by, if_generation=if_generation)

        def apply(channel: Channel | None, author: Author) -> Channel:
            if channel is None:
                raise NotFound(
                    f"nothing is active in the channel {self._name} of {self._model}",
                    "`pointsman activate VERSION` makes a version stable; a canary comes after.",
                )
            return change(channel, author)

        return self._channels.move(self._model, self._name, occasion, apply, relies_on_past=True)

    def _require_same_tensors(self, stable: Pointer, target: Version) -> None:
        from pointsman import diff  # which needs numpy, as nothing else here does

        before = self._registry.resolve(self._model, stable).manifest
        differing = diff.tensors(before, target.manifest)
        if differing:
            told = "; ".join(
                f"{each.kind} {each.name}: {each.before or 'none'} → {each.after or 'none'}"
                for each in differing
            )
            raise InvalidRollout(
                f"{target.manifest.version} does not take and give what {before.version}, which "
                f"is stable, does: {told}",
                "Clients of one would get errors, or other answers, from the other. --force runs "
                "it all the same; `pointsman activate` switches everybody at once.",
            )


def _pointer(version: Version) -> Pointer:
    return Pointer(version=version.manifest.version, digest=version.digest)
