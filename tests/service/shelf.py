"""A shelf of versions: put into a store as publishing would, but without its child process.

So it takes milliseconds, and it also takes versions that publishing would never let through.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Self

import msgspec

from pointsman import channel as channels
from pointsman import golden, keys, manifest
from pointsman.channel import Author, Channel, Pointer
from pointsman.errors import ObjectNotFound
from pointsman.manifest import File, GoldenSet, Manifest, Measured, OnnxInfo, TensorSpec
from pointsman.session import Session
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from pointsman_service.serving.aspired import Aspired
from tests import models

_nonces = count(1)
UNKNOWN = TensorSpec(name="x", datatype="FP32", shape=(-1, 4))


@dataclass
class Shelf:
    """Versions of the model `m` in a store, and its channel."""

    store: ObjectStore
    directory: Path
    model: str = "m"
    channel_name: str = "production"

    @classmethod
    def at(cls, url: str, directory: Path) -> Self:
        """A shelf in the store at `url`; models are built in `directory`."""
        return cls(open_store(url), directory)

    def affine(self, version: str, factor: float, *, golden_factor: float | None = None) -> Pointer:
        """Put `x` → `x * factor`; `golden_factor` brings a golden set, a right or a wrong one."""
        model = models.affine(self.directory / version / "model.onnx", factor)
        examples = None
        if golden_factor is not None:
            examples = models.affine_golden(self.directory / version / "golden.npz", golden_factor)
        return self.put(version, model, examples)

    def put(
        self, version: str, model: Path, examples: Path | None = None, **claims: Any
    ) -> Pointer:
        """Put a version; `claims` are members of its manifest that shall be something else."""
        files = [self._blob(model, "model.onnx")]
        if examples is not None:
            files.append(self._blob(examples, "golden.npz"))
        inputs, outputs = _signature(model)
        draft = Manifest(
            schema=1,
            model=self.model,
            version=version,
            created="2026-01-01T00:00:00+00:00",
            entrypoint="model.onnx",
            files=tuple(files),
            inputs=inputs,
            outputs=outputs,
            onnx=OnnxInfo(ir_version=8, opsets={"ai.onnx": 17}),
            measured=Measured(
                runtime="", load_seconds=0.1, latency_seconds=0.001, peak_rss_bytes=1
            ),
            golden=_golden_set(examples),
        )
        sealed = manifest.seal(msgspec.structs.replace(draft, **claims))
        self.store.create(keys.manifest(self.model, version), sealed.document)
        return Pointer(version=version, digest=sealed.digest)

    def activate(self, pointer: Pointer) -> Channel:
        """Point the channel at a version, one generation further."""
        return self._move(channels.activate, pointer)

    def rollback(self) -> Channel:
        """Point the channel back."""
        return self._move(lambda now, _target, author: channels.rollback(now, author), None)

    def aspired(self, *pointers: Pointer, origin: str = "store") -> Aspired:
        """What the source would announce once `pointers` had been activated in turn."""
        channel = None
        for pointer in pointers:
            channel = channels.activate(channel, pointer, _author())
        assert channel is not None
        return Aspired(channel, channels.encode(channel), origin)

    def rolled_back(self, *pointers: Pointer) -> Aspired:
        """What the source would announce once the last of `pointers` had been rolled back."""
        channel = channels.rollback(self.aspired(*pointers).channel, _author())
        return Aspired(channel, channels.encode(channel), "store")

    def then(self, before: Aspired, change: Callable[[Channel, Author], Channel]) -> Aspired:
        """What the source would announce after one more change."""
        channel = change(before.channel, _author())
        return Aspired(channel, channels.encode(channel), before.origin)

    def change(self, change: Callable[[Channel, Author], Channel]) -> Channel:
        """Change the channel in the store."""
        return self._move(lambda now, _target, author: change(now, author), None)

    def damage(self, model: Path) -> None:
        """Flip the last bit of a model's blob."""
        data = bytearray(model.read_bytes())
        data[-1] ^= 1
        sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
        self.store.overwrite(keys.blob(self.model, sha256), bytes(data))

    def restore(self, model: Path) -> None:
        """Put a model's blob back as it was."""
        self._blob(model, model.name)

    def renew(self) -> Channel:
        """Activate what is active, as a change of its own."""
        return self.change(channels.renew)

    def _move(self, transition: Any, target: Pointer | None) -> Channel:
        key = keys.channel(self.model, self.channel_name)
        try:
            stored = self.store.get(key)
        except ObjectNotFound:
            stored = None
        present = channels.read(stored.data, self.channel_name) if stored else None
        moved: Channel = transition(present, target, _author())
        self.store.overwrite(key, channels.encode(moved, stored.data if stored else None))
        return moved

    def _blob(self, path: Path, name: str) -> File:
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        self.store.overwrite(keys.blob(self.model, sha256), data)
        return File(path=name, size=len(data), sha256=sha256)


def _signature(model: Path) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Return the model's signature, or, for one that does not load, any."""
    try:
        session = Session(model)
    except Exception:  # noqa: BLE001 — a broken model is put on purpose
        return (UNKNOWN,), (UNKNOWN,)
    return session.inputs, session.outputs


def _golden_set(examples: Path | None) -> GoldenSet | None:
    if examples is None:
        return None
    loaded = golden.load(examples)
    return GoldenSet(path="golden.npz", rows=loaded.rows, rtol=loaded.rtol, atol=loaded.atol)


def _author() -> Author:
    return Author(by="tests", at="2026-01-01T00:00:00+00:00", nonce=f"nonce-{next(_nonces)}")
