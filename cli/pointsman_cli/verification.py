"""Proving a deployment from outside: the expected generation is served, and its golden set holds.

The same proof follows every deployment, whatever the platform: `/health?generation=…` until it
is 200, then the golden set through the public URL.
"""

import time
from dataclasses import dataclass
from typing import Any

from pointsman.channel import Channel
from pointsman_cli import client, replay
from pointsman_cli.client import Health
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, Unconfirmed
from pointsman_cli.units import size

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

    Raises `Unconfirmed` when that takes too long, `CommandError` when the version is refused or
    its answers are wrong.
    """
    started = time.monotonic()
    channel = _await(context, url, started + timeout)
    seconds = round(time.monotonic() - started, 3)
    version = context.registry.resolve(context.model, channel.stable)
    with context.output.waiting("replaying the golden set"):
        rows = replay.golden_set(context, url, version)
    return Proof(channel.stable.version, version.digest, channel.generation, seconds, rows)


def _await(context: Context, url: str, deadline: float) -> Channel:
    """Return the channel once it is served, whoever moves it meanwhile."""
    channel = context.registry.channel(context.model, context.channel)
    with context.output.waiting(f"waiting for {channel.stable.version}") as update:
        while True:
            expected = {"generation": str(channel.generation), "digest": channel.stable.digest}
            health = client.health(url, **expected)
            if health is not None and health.ready:
                return channel
            if health is not None:
                update(_progress(health, channel))
                if _refused(health, channel):
                    raise _refusal(url, channel)
            if time.monotonic() > deadline:
                raise _late(url, channel)
            if health is not None and (health.body.get("generation") or 0) > channel.generation:
                channel = context.registry.channel(context.model, context.channel)
            time.sleep(_LOOK_SECONDS)


def _refused(health: Health, channel: Channel) -> bool:
    """Tell whether the generation was dealt with, and something else is served than it wants."""
    body = health.body
    return body.get("status") == "failed" or (
        body.get("generation") == channel.generation and body.get("digest") != channel.stable.digest
    )


def _refusal(url: str, channel: Channel) -> CommandError:
    return CommandError(
        f"the service refuses {channel.stable.version}: {_reason(url)}",
        "It goes on running: `pointsman logs` says more, and `pointsman activate VERSION` gives "
        "it another.",
    )


def _late(url: str, channel: Channel) -> Unconfirmed:
    return Unconfirmed(
        f"{url} does not serve {channel.stable.version} yet: {_reason(url)}",
        "It goes on trying: `pointsman logs` says more, and `pointsman deploy` looks again.",
    )


def _reason(url: str) -> str:
    """Ask without expecting anything: a mismatch would hide the reason behind it."""
    health = client.health(url)
    if health is None:
        return "it does not answer"
    return str(health.body.get("reason") or health.body.get("status") or "it does not say why")


def _progress(health: Health, channel: Channel) -> str:
    loading = health.body.get("loading")
    text = f"waiting for {channel.stable.version}"
    if not isinstance(loading, dict):
        return text
    done, total = loading.get("done_bytes") or 0, loading.get("total_bytes") or 0
    fetched = f", {size(done)} of {size(total)}" if 0 < done < total else ""
    return f"{text}: {loading.get('step')}{fetched}"
