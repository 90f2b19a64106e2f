"""What a channel asks of each role, and what its last change has to wait for."""

from collections.abc import Callable

import pytest

from pointsman import channel as channels
from pointsman import rollout
from pointsman.channel import Author, Channel, Pointer
from pointsman_service.serving.roles import Role, awaited, role_of, wanted

V1, V2, V3, V4 = (
    Pointer(version=f"v{number}", digest=f"sha256:{number:064x}") for number in (1, 2, 3, 4)
)
Change = Callable[[Channel, Author], Channel]


def after(*changes: Change) -> Channel:
    """The channel that serves v1, after these changes."""
    author = Author(by="tests", at="2026-01-01T00:00:00+00:00", nonce="n")
    channel = channels.activate(None, V1, author)
    for change in changes:
        channel = change(channel, author)
    return channel


def start(now: Channel, author: Author) -> Channel:
    return rollout.start(now, V2, 5, author)


def more(now: Channel, author: Author) -> Channel:
    return rollout.set_weight(now, 50, author)


def shadow(now: Channel, author: Author) -> Channel:
    return rollout.shadow(now, V3, 10, author)


def activate(now: Channel, author: Author) -> Channel:
    return channels.activate(now, V4, author)


def test_every_version_has_one_role() -> None:
    channel = after(start, shadow)
    versions = {role: pointer.version for role, pointer in wanted(channel).items()}
    assert versions == {Role.STABLE: "v1", Role.CANARY: "v2", Role.SHADOW: "v3"}
    assert role_of(channel, V3.digest) is Role.SHADOW
    assert role_of(channel, V4.digest) is None


@pytest.mark.parametrize(
    ("changes", "roles"),
    [
        ([], {Role.STABLE}),
        ([start], {Role.STABLE, Role.CANARY}),
        ([start, shadow], {Role.STABLE, Role.CANARY, Role.SHADOW}),
        ([start, more], {Role.STABLE, Role.CANARY}),
        ([shadow, start], {Role.STABLE, Role.CANARY}),
        ([shadow, activate], {Role.STABLE}),
    ],
)
def test_all_is_waited_for_but_a_shadow_that_the_last_change_left_alone(
    changes: list[Change], roles: set[Role]
) -> None:
    assert awaited(after(*changes), observed_generation=1) == roles


def test_at_the_first_sight_of_a_channel_everything_is_waited_for() -> None:
    assert awaited(after(shadow, activate), observed_generation=0) == {Role.STABLE, Role.SHADOW}
