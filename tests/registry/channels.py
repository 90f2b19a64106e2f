"""Channels for tests: as they become by activations, or by any steps that there can be."""

from hypothesis import strategies as st

from pointsman import channel as channels
from pointsman.channel import Author, Channel, Pointer
from pointsman.errors import NothingToRollBack

VERSIONS = st.sampled_from(["v1", "v2", "v3", "v4", "v5"])
STEPS = st.lists(VERSIONS | st.none(), max_size=40)
"""A step is a version to activate, or None to roll back."""


def pointer(version: str) -> Pointer:
    return Pointer(version=version, digest=f"sha256:{version[1:]:0>64}")


def author(why: str = "", nonce: str = "nonce") -> Author:
    return Author(by="ada@home", at="2026-01-01T00:00:00.000+00:00", nonce=nonce, why=why)


def activated(*versions: str) -> Channel:
    """A channel in which these versions were made stable, one after the other."""
    channel: Channel | None = None
    for version in versions:
        channel = channels.activate(channel, pointer(version), author())
    assert channel is not None
    return channel


def walked(steps: list[str | None]) -> list[Channel]:
    """Every state of a channel that takes these steps, where they can be taken."""
    states = [activated("v1")]
    for step in steps:
        try:
            states.append(
                channels.rollback(states[-1], author())
                if step is None
                else channels.activate(states[-1], pointer(step), author())
            )
        except NothingToRollBack:
            continue
    return states


def served(channel: Channel) -> str:
    return channel.stable.version
