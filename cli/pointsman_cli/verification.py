"""Proving a deployment from outside: the expected generation is served, and its golden set holds.

The same proof follows every deployment, whatever the platform: `/health?generation=…` until it
is 200, then the golden set through the public URL.
"""

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointsman import keys
from pointsman.channel import Channel
from pointsman.manifest import Version
from pointsman.transfer import download
from pointsman_cli import client
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, Unconfirmed

_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Proof:
    """What was shown: the version that answers, and how many golden rows it reproduced."""

    version: str
    digest: str
    generation: int
    seconds: float
    golden_rows: int

    def document(self) -> dict[str, Any]:
        """Return what `--json` gives."""
        return {name: getattr(self, name) for name in self.__slots__}


def verify(context: Context, url: str, timeout: float) -> Proof:
    """Wait until `url` serves what the channel names, then replay the golden set there.

    Raises `Unconfirmed` when that takes too long, `CommandError` when answers are wrong.
    """
    started = time.monotonic()
    channel = context.registry.channel(context.model, context.channel)
    _await(url, channel, started + timeout)
    seconds = time.monotonic() - started
    version = context.registry.resolve(context.model, channel.stable)
    rows = _replay(context, url, version)
    return Proof(channel.stable.version, version.digest, channel.generation, seconds, rows)


def _await(url: str, channel: Channel, deadline: float) -> None:
    expected = {"generation": str(channel.generation), "digest": channel.stable.digest}
    while True:
        health = client.health(url, **expected)
        if health is not None and health.ready:
            return
        if health is not None and health.body.get("status") == "failed":
            raise CommandError(
                f"the service refuses {channel.stable.version}: {health.body.get('reason')}",
                "`pointsman logs` says more; `pointsman activate` another version.",
            )
        if time.monotonic() > deadline:
            said = (health.body.get("reason") or health.body.get("status")) if health else "nothing"
            raise Unconfirmed(
                f"{url} does not serve {channel.stable.version} yet; it says: {said}",
                "`pointsman logs` says more.",
            )
        time.sleep(_LOOK_SECONDS)


def _replay(context: Context, url: str, version: Version) -> int:
    """Ask for the golden set's outputs over HTTP; return its number of rows."""
    manifest = version.manifest
    if manifest.golden is None:
        return 0
    from pointsman import golden

    file = next(file for file in manifest.files if file.path == manifest.golden.path)
    with tempfile.TemporaryDirectory(prefix="pointsman-") as directory:
        path = Path(directory) / "golden.npz"
        key = keys.blob(manifest.model, file.sha256)
        download(context.registry.store, key, file, path, lambda _: None)
        examples = golden.load(path)
    inputs = {name: array.tolist() for name, array in examples.inputs.items()}
    answer = client.predict(url, json.dumps({"inputs": inputs}).encode())
    computed = golden.from_json(examples, answer.document["outputs"])
    if difference := golden.mismatch(examples, computed):
        raise CommandError(f"{url} does not reproduce the golden set: {difference}")
    return examples.rows
