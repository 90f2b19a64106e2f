"""The registry: models, versions and channels of one store, behind plain methods.

Reads are verified against the digests that name what is read. A channel is changed by reading
it, applying a pure transition, and writing it back only if nobody else did meanwhile.
"""

import random
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pointsman import channel as channels
from pointsman import keys, manifest, publishing
from pointsman.channel import Author, Channel, Pointer
from pointsman.errors import (
    ChannelConflict,
    ContentMismatch,
    InvalidName,
    NotFound,
    ObjectExists,
    ObjectNotFound,
    PointsmanError,
    PreconditionFailed,
    StoreError,
    StoreMisconfigured,
    StoreUnreachable,
)
from pointsman.manifest import Version
from pointsman.signing.keypair import PublicKey, SigningKey
from pointsman.signing.notary import Notary
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore, StoredObject

_ATTEMPTS = 60
_READS_IN_FLIGHT = 8
_LONGEST_PAUSE_SECONDS = 0.5

Transition = Callable[[Channel | None, Author], Channel]


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
        progress: publishing.Progress | None = None,
        dry_run: bool = False,
    ) -> publishing.Published:
        """Publish an `.onnx` file, or a directory with one, as an immutable version.

        Raises `InvalidModel`, `InvalidName`, `VersionExists` or `StoreError`, and then nothing is
        visible to anyone. A version that is already there gets the signature it may lack. See
        `pointsman.publishing`.
        """
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
        channel, _ = self._read(model, name)
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
    ) -> Channel:
        """Point the channel at a published version; one already stable changes nothing.

        With `if_generation`, only while the channel is at that generation. Raises `NotFound` for a
        version that was never published, or that is being pruned, `ChannelConflict` when somebody
        else moved the channel past `if_generation`, or when other writers win every time, and
        `Untrusted` where signatures are demanded and the version, or the change, has none.
        """
        found = self.version(model, version)
        self.notary.check_version(self.store, found)
        target = Pointer(version=version, digest=found.digest)

        def forward(now: Channel | None, author: Author) -> Channel:
            _require_generation(now, if_generation)
            return channels.activate(now, target, author)

        moved = self._move(model, channel, why, by, forward)
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
    ) -> Channel:
        """Point the channel back at the version it served before, or at version `to` of those.

        Raises `NothingToRollBack` when there is nothing to go to, `NotFound` for a channel never
        used, `ChannelConflict` and `Untrusted` as `activate` does; `Untrusted` also when the
        channel, whose past decides, is not signed where signatures are demanded.
        """
        self.channel(model, channel)

        def back(now: Channel | None, author: Author) -> Channel:
            assert now is not None  # noqa: S101 — channels are never deleted
            _require_generation(now, if_generation)
            moved = channels.rollback(now, author, to)
            if self.notary.trust:
                self.notary.check_version(self.store, self.resolve(model, moved.stable))
            return moved

        return self._move(model, channel, why, by, back, relies_on_past=True)

    def _move(
        self,
        model: str,
        name: str,
        why: str,
        by: str,
        transition: Transition,
        *,
        relies_on_past: bool = False,
    ) -> Channel:
        for attempt in range(_ATTEMPTS):
            present, stored = self._read(model, name)
            self.notary.require_signer(present)
            believed = stored is None or self.notary.believes(model, name, stored.data)
            if relies_on_past and stored is not None:
                self.notary.check_past(model, name, stored.data)
            author = Author(
                by=by or publishing.author(),
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                nonce=secrets.token_hex(8),
                why=why,
            )
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

    def _read(self, model: str, name: str) -> tuple[Channel | None, StoredObject | None]:
        try:
            stored = self.store.get(keys.channel(model, name))
        except ObjectNotFound:
            return None, None
        return (channels.read(stored.data, name), stored) if stored else (None, None)

    def _write(self, model: str, name: str, wanted: Channel, replaced: StoredObject | None) -> bool:
        """Write, and tell whether it is certain that the channel took `wanted`."""
        key = keys.channel(model, name)
        data = channels.encode(wanted, replaced.data if replaced else None)
        data = self.notary.sign_channel(model, name, data)
        try:
            if replaced is None:
                self.store.create(key, data)
                self._require_conditions(key, data)
            else:
                self.store.update(key, data, replaced.info.etag)
        except (ObjectExists, PreconditionFailed, StoreUnreachable) as error:
            # The answer may have been lost after the write took place: only reading tells.
            if self._took(model, name, wanted):
                return True
            if isinstance(error, StoreUnreachable):
                raise
            return False
        return True

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

    def _took(self, model: str, name: str, wanted: Channel) -> bool:
        try:
            present, _ = self._read(model, name)
        except StoreUnreachable as error:
            raise StoreUnreachable(
                f"the store does not tell whether the channel {name} of {model} changed: {error}",
                "`pointsman history` shows it once the store answers.",
            ) from error
        if present is None:
            return False
        return present.nonce == wanted.nonce or wanted.history[-1] in present.history

    def _require_conditions(self, key: str, data: bytes) -> None:
        """Refuse a store that takes a second create-only write: it would lose channel changes.

        Asked once in a channel's life, when the first document has just been created.
        """
        try:
            self.store.create(key, data)
        except (ObjectExists, StoreUnreachable):
            return
        with suppress(StoreError):
            self.store.delete(key)
        raise StoreMisconfigured(
            f"{self.store.url} ignores the conditions of writes, so that changes of a channel "
            "could undo each other unseen",
            "Use a store that knows If-None-Match on writes: S3, R2, Tigris and MinIO do.",
        )


def _require_generation(channel: Channel | None, wanted: int | None) -> None:
    present = channel.generation if channel else 0
    if wanted not in {None, present}:
        raise ChannelConflict(f"somebody else moved the channel to generation {present}")
