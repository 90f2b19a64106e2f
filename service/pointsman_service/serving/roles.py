"""The roles a version can have here, and what a channel asks of each: pure."""

from enum import StrEnum

from pointsman.channel import Channel, Pointer


class Role(StrEnum):
    """What a version is here for; the words are those of the channel's document."""

    STABLE = "stable"
    CANARY = "canary"
    SHADOW = "shadow"


BESIDE = (Role.CANARY, Role.SHADOW)


def wanted(channel: Channel) -> dict[Role, Pointer]:
    """Return which version has which role."""
    named = {Role.STABLE: channel.stable, Role.CANARY: channel.canary, Role.SHADOW: channel.shadow}
    return {role: pointer for role, pointer in named.items() if pointer is not None}


def role_of(channel: Channel, digest: str) -> Role | None:
    """Return the role of the version with this digest, if it has one."""
    return next((role for role, each in wanted(channel).items() if each.digest == digest), None)


def awaited(channel: Channel, observed_generation: int) -> set[Role]:
    """Return which roles have to be dealt with before the channel's generation is.

    A shadow that is still being fetched must not hold up the news that a rollback took place: one
    that the last change left alone is not waited for, unless it is the first one seen here.
    """
    present = {*wanted(channel)}
    if observed_generation == 0 or channel.shadow is None or len(channel.history) == 1:
        return present
    before = channel.history[-2].shadow
    same = before is not None and before.digest == channel.shadow.digest
    return present - {Role.SHADOW} if same else present
