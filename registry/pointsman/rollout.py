"""How a canary and a shadow come, change and go: pure transitions of a channel.

A canary answers a share of the requests until it is promoted or aborted. A shadow computes along
and is compared. There is at most one of each, and stable, canary and shadow are three different
versions. What changes nothing returns the channel as it is.
"""

from pointsman.channel import (
    ABORT,
    PROMOTE,
    SET,
    SHADOW,
    START,
    Author,
    Canary,
    Channel,
    Pointer,
    Shadow,
    change,
)
from pointsman.errors import InvalidRollout

ALL = 100


def start(channel: Channel, target: Pointer, weight: int, author: Author) -> Channel:
    """Let `target` answer `weight` percent of the requests; a shadow of it has done its work.

    Raises `InvalidRollout` when it is stable, or when a canary runs that this does not describe.
    """
    canary = Canary(version=target.version, digest=target.digest, weight=_weight(weight))
    running = channel.canary
    if target.digest == channel.stable.digest:
        raise InvalidRollout(
            f"{target.version} is what the channel serves already, and cannot be its own canary",
            "`pointsman models list` shows which other versions there are.",
        )
    if running == canary:
        return channel
    if running is not None:
        raise _runs_already(running, target)
    return change(
        channel, START, author, stable=channel.stable, canary=canary, shadow=channel.shadow
    )


def set_weight(channel: Channel, weight: int, author: Author) -> Channel:
    """Let the canary answer `weight` percent of the requests; raises `InvalidRollout` without one.

    0 lets it wait, loaded; 100 leaves the stable version nothing but to be gone back to.
    """
    running = _running(channel)
    canary = Canary(version=running.version, digest=running.digest, weight=_weight(weight))
    if canary == running:
        return channel
    return change(channel, SET, author, stable=channel.stable, canary=canary, shadow=channel.shadow)


def promote(channel: Channel, author: Author) -> Channel:
    """Make the canary stable; raises `InvalidRollout` without one."""
    canary = _running(channel)
    stable = Pointer(version=canary.version, digest=canary.digest)
    return change(channel, PROMOTE, author, stable=stable, shadow=channel.shadow)


def abort(channel: Channel, author: Author) -> Channel:
    """Give all requests back to the stable version; raises `InvalidRollout` without a canary."""
    _running(channel)
    return change(channel, ABORT, author, stable=channel.stable, shadow=channel.shadow)


def shadow(channel: Channel, target: Pointer, percent: int, author: Author) -> Channel:
    """Let `target` compute along for `percent` of the requests, instead of any other shadow.

    Raises `InvalidRollout` when it answers requests itself.
    """
    if not 1 <= percent <= ALL:
        raise InvalidRollout(
            f"a shadow cannot be given {percent} % of the requests",
            "Use 1 to 100; `pointsman rollout shadow --off` ends it.",
        )
    for role, other in (("stable", channel.stable), ("canary", channel.canary)):
        if other is not None and other.digest == target.digest:
            raise InvalidRollout(
                f"{target.version} is {role} in this channel, and cannot be its shadow",
                "`pointsman models list` shows which other versions there are.",
            )
    wanted = Shadow(version=target.version, digest=target.digest, percent=percent)
    if channel.shadow == wanted:
        return channel
    return change(
        channel, SHADOW, author, stable=channel.stable, canary=channel.canary, shadow=wanted
    )


def end_shadow(channel: Channel, author: Author) -> Channel:
    """Let no version compute along; a channel without a shadow is returned as it is."""
    if channel.shadow is None:
        return channel
    return change(channel, SHADOW, author, stable=channel.stable, canary=channel.canary)


def _weight(weight: int) -> int:
    if not 0 <= weight <= ALL:
        raise InvalidRollout(
            f"a canary cannot be given {weight} % of the requests",
            "Use a whole number from 0 to 100: the percentage of requests it answers.",
        )
    return weight


def _running(channel: Channel) -> Canary:
    if channel.canary is None:
        raise InvalidRollout(
            f"no canary is running: {channel.stable.version} answers all requests",
            "`pointsman rollout start VERSION --weight 5` starts one.",
        )
    return channel.canary


def _runs_already(running: Canary, target: Pointer) -> InvalidRollout:
    message = f"the canary {running.version} runs already, and gets {running.weight} % of requests"
    if running.digest == target.digest:
        return InvalidRollout(message, "`pointsman rollout set PERCENT` changes its share.")
    return InvalidRollout(
        message, "`pointsman rollout promote` or `pointsman rollout abort` makes room for another."
    )
