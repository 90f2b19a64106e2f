"""Proving a deployment from outside: the expected generation is served, and its golden set holds.

The same proof follows every deployment, whatever the platform: `/health?generation=…` on every
instance that can be reached until it is 200, then the golden set through the public URL.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.channel import Channel
from pointsman_cli import client, replay
from pointsman_cli.client import Health
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, DeploymentFailed, Unverified
from pointsman_cli.platforms.base import Way
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


def verify(context: Context, ways: Sequence[Way], timeout: float) -> Proof:
    """Wait until every way leads to what the channel names, then replay the golden set there.

    Raises `Unverified` when that takes too long, `DeploymentFailed` when the version is refused
    or its answers are wrong.
    """
    started = time.monotonic()
    channel = context.registry.channel(context.model, context.channel)
    for way in ways:
        channel = _await(context, way, channel, started + timeout)
    seconds = round(time.monotonic() - started, 3)
    version = context.registry.resolve(context.model, channel.stable)
    with context.output.waiting("replaying the golden set"):
        try:
            rows = replay.golden_set(context, ways[0], version)
        except CommandError as error:
            raise DeploymentFailed(error.message, error.hint) from error
    return Proof(channel.stable.version, version.digest, channel.generation, seconds, rows)


def _await(context: Context, way: Way, channel: Channel, deadline: float) -> Channel:
    """Return the channel once it is served there, whoever moves it meanwhile."""
    with context.output.waiting(f"waiting for {channel.stable.version}") as update:
        while True:
            expected = {"generation": str(channel.generation), "digest": channel.stable.digest}
            health = client.health(way.url, way.headers, **expected)
            if health is not None and health.ready:
                return channel
            if health is not None:
                update(_progress(health, channel))
                if _refused(health, channel):
                    raise _refusal(way, channel)
            if time.monotonic() > deadline:
                raise _late(way, channel)
            if health is not None and (health.body.get("generation") or 0) > channel.generation:
                channel = context.registry.channel(context.model, context.channel)
            time.sleep(_LOOK_SECONDS)


def _refused(health: Health, channel: Channel) -> bool:
    """Tell whether the generation was dealt with, and something else is served than it wants."""
    body = health.body
    return body.get("status") == "failed" or (
        body.get("generation") == channel.generation and body.get("digest") != channel.stable.digest
    )


def _refusal(way: Way, channel: Channel) -> DeploymentFailed:
    return DeploymentFailed(
        f"{_who(way)} refuses {channel.stable.version}: {_reason(way)}",
        "It goes on running: `pointsman logs` says more, and `pointsman activate VERSION` gives "
        "it another.",
    )


def _late(way: Way, channel: Channel) -> Unverified:
    return Unverified(
        f"{way.instance or way.url} does not serve {channel.stable.version} yet: {_reason(way)}",
        "It goes on trying: `pointsman logs` says more, and `pointsman deploy` looks again.",
    )


def _who(way: Way) -> str:
    return way.instance or "the service"


def _reason(way: Way) -> str:
    """Ask without expecting anything: a mismatch would hide the reason behind it."""
    health = client.health(way.url, way.headers)
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
