"""The registry: models, versions and channels of one store, behind plain methods.

Reads are verified against the digests that name what is read. A channel is changed by reading
it, applying a pure transition, and writing it back only if nobody else did meanwhile.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pointsman import channel as channels
from pointsman import keys, manifest
from pointsman.channel import Author, Channel, Pointer
from pointsman.channel_store import ChannelStore, Occasion
from pointsman.errors import (
    ContentMismatch,
    InvalidName,
    NotFound,
    ObjectNotFound,
    PointsmanError,
    StoreError,
)
from pointsman.manifest import Version
from pointsman.rollouts import Rollout
from pointsman.signing.keypair import PublicKey, SigningKey
from pointsman.signing.notary import Notary
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore

if TYPE_CHECKING:
    from pointsman.publishing import Progress, Published

_READS_IN_FLIGHT = 8


def open(  # noqa: A001 — reads as pointsman.open(url)
    url: str, *, signer: SigningKey | None = None, trusted: Iterable[PublicKey] = ()
) -> "Registry":
    """Open the registry in the store at `url`: `file:///path` or `s3://bucket/prefix`.

    With a `signer`, what is published and every change of a channel is signed; `trusted` are the
    other keys whose signatures count. Raises `StoreMisconfigured` for a URL that cannot work;
    nothing is contacted yet.
    """
    return Registry(open_store(url), Notary(signer, trusted))


class Registry:
    """What is in one store."""

    def __init__(self, store: ObjectStore, notary: Notary | None = None) -> None:
        self.store = store
        self.notary = notary or Notary()
        self._channels = ChannelStore(store, self.notary)

    def models(self) -> list[str]:
        """Return the names of all models that have a version."""
        names = self.store.folders(keys.MODELS)
        with ThreadPoolExecutor(_READS_IN_FLIGHT) as pool:
            published = pool.map(self._has_versions, names)
            return [name for name, has in zip(names, published, strict=True) if has]

    def _has_versions(self, model: str) -> bool:
        try:
            return any(self._version_names(model))
        except InvalidName:
            return False  # somebody else's folder

    def _version_names(self, model: str) -> Iterator[str]:
        for info in self.store.scan(keys.versions(model)):
            name = keys.name_in(info.key)
            with suppress(InvalidName):  # somebody else's file
                if keys.manifest(model, name) == info.key:
                    yield name

    def versions(self, model: str) -> list[Version]:
        """Return a model's versions, oldest first; raises `NotFound` for a model without any."""
        names = list(self._version_names(model))
        if not names:
            raise NotFound(
                f"there is no model named {model} in {self.store.url}",
                "`pointsman models list` shows what is there; `pointsman upload-model` adds.",
            )
        with ThreadPoolExecutor(_READS_IN_FLIGHT) as pool:
            found = list(pool.map(lambda name: self._version_if_there(model, name), names))
        return sorted(
            (version for version in found if version is not None),
            key=lambda version: (version.manifest.created, version.manifest.version),
        )

    def _version_if_there(self, model: str, version: str) -> Version | None:
        try:
            return self.version(model, version)
        except NotFound:
            return None  # pruned since it was listed

    def version(self, model: str, version: str) -> Version:
        """Return one version; raises `NotFound` when it was never published."""
        try:
            stored = self.store.get(keys.manifest(model, version))
        except ObjectNotFound:
            stored = None
        if stored is None:
            raise NotFound(
                f"there is no version {version} of {model} in {self.store.url}",
                f"`pointsman models list {model}` shows the versions there are.",
            )
        return manifest.read(stored.data, model, version)

    def resolve(self, model: str, pointer: Pointer) -> Version:
        """Return the version a channel points to; raises `ContentMismatch` if it is another."""
        version = self.version(model, pointer.version)
        if version.digest != pointer.digest:
            raise ContentMismatch(
                f"the manifest of {model} {pointer.version} is not the one its channel names",
                "Somebody replaced it: publish a new version and activate that.",
            )
        return version

    def publish(  # noqa: PLR0913 — a notebook's one-line call: each keyword says what it is
        self,
        model: str,
        version: str,
        source: str | Path,
        *,
        golden: str | Path | None = None,
        sample: str | Path | None = None,
        metrics: Mapping[str, float] | None = None,
        labels: Mapping[str, str] | None = None,
        note: str = "",
        progress: "Progress | None" = None,
        dry_run: bool = False,
    ) -> "Published":
        """Publish an `.onnx` file, or a directory with one, as an immutable version.

        Raises `InvalidModel`, `InvalidName`, `VersionExists` or `StoreError`, and then nothing is
        visible to anyone. A version that is already there gets the signature it may lack. See
        `pointsman.publishing`.
        """
        # Imported here: whoever only reads versions, as services do, starts sooner without it.
        from pointsman import publishing

        particulars = publishing.Particulars(
            metrics=metrics or {},
            labels=labels or {},
            note=note,
            sample=Path(sample) if sample else None,
        )
        published = publishing.publish(
            self.store,
            model,
            version,
            Path(source),
            Path(golden) if golden else None,
            particulars,
            progress,
            dry_run=dry_run,
        )
        if not dry_run:
            self.notary.sign_version(self.store, published.version)
        return published

    def channel(self, model: str, name: str) -> Channel:
        """Return a channel; raises `NotFound` when nothing was ever activated in it."""
        channel, _ = self._channels.read(model, name)
        if channel is None:
            raise NotFound(
                f"nothing is active in the channel {name} of {model}",
                f"`pointsman activate VERSION --model {model}` makes a version serve.",
            )
        return channel

    def activate(
        self,
        model: str,
        version: str,
        channel: str = "production",
        *,
        why: str = "",
        by: str = "",
        if_generation: int | None = None,
        again: bool = False,
        discards: bool = False,
    ) -> Channel:
        """Point the channel at a published version; one already stable changes nothing.

        Unless it is to be tried `again`: a new generation makes an instance that refused it load it
        once more. With `discards`, no rollback goes to what it leaves. With `if_generation`, only
        while the channel is at that generation. Raises `NotFound` for a version that was never
        published, or that is being pruned, `InvalidRollout` while a canary runs, `ChannelConflict`
        when somebody else moved the channel past `if_generation`, or when other writers win every
        time, and `Untrusted` where signatures are demanded and the version, or the change, has
        none.
        """
        found = self.version(model, version)
        self.notary.check_version(self.store, found)
        target = Pointer(version=version, digest=found.digest)

        def forward(now: Channel | None, author: Author) -> Channel:
            if again and now is not None and now.stable == target:
                return channels.renew(now, author)
            return channels.activate(now, target, author, discards=discards)

        occasion = Occasion(why=why, by=by, if_generation=if_generation)
        moved = self._channels.move(model, channel, occasion, forward)
        self._require_still_there(model, channel, moved)
        return moved

    def rollback(
        self,
        model: str,
        channel: str = "production",
        *,
        to: str | None = None,
        why: str = "",
        by: str = "",
        if_generation: int | None = None,
        healthy_seconds: float = channels.HEALTHY_SECONDS,
    ) -> Channel:
        """Point the channel back at the version it served before, or at version `to` of those.

        "Before" is `channel.previous`. A canary that runs is ended, and without `to` that is all.
        Raises `NothingToRollBack` when there is nothing to go to, `NotFound` for a channel never
        used, `ChannelConflict` and `Untrusted` as `activate` does; `Untrusted` also when the
        channel, whose past decides, is not signed where signatures are demanded.
        """
        self.channel(model, channel)

        def back(now: Channel | None, author: Author) -> Channel:
            assert now is not None  # noqa: S101 — channels are never deleted
            moved = channels.rollback(now, author, to, healthy_seconds)
            if self.notary.trust:
                self.notary.check_version(self.store, self.resolve(model, moved.stable))
            return moved

        occasion = Occasion(why=why, by=by, if_generation=if_generation)
        return self._channels.move(model, channel, occasion, back, relies_on_past=True)

    def rollout(
        self,
        model: str,
        channel: str = "production",
        *,
        why: str = "",
        by: str = "",
        if_generation: int | None = None,
    ) -> Rollout:
        """Return what starts, changes and ends the canary and the shadow of a channel."""
        occasion = Occasion(why=why, by=by, if_generation=if_generation)
        return Rollout(self, self._channels, model, channel, occasion)

    def _require_still_there(self, model: str, name: str, moved: Channel) -> None:
        """Undo an activation that a prune overtook; see `pointsman.pruning`."""
        target = moved.stable
        try:
            self.store.head(keys.manifest(model, target.version))
        except ObjectNotFound:
            with suppress(PointsmanError):
                self.rollback(
                    model, name, why=f"{target.version} is gone", if_generation=moved.generation
                )
            raise NotFound(
                f"{target.version} of {model} was removed while it was being activated",
                "`pointsman history` shows what serves; publish it again under a new name.",
            ) from None
        except StoreError:
            return  # the channel has moved, and the version was there a moment ago
