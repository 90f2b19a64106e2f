"""The rules by which a channel changes, by examples."""

import pytest

from pointsman import channel as channels
from pointsman.channel import HISTORY_LIMIT, Author, Channel, Pointer
from pointsman.errors import NothingToRollBack
from tests.registry.channels import activated, author, pointer, served


def test_the_first_activation_makes_generation_one() -> None:
    channel = activated("v1")

    assert (channel.generation, served(channel)) == (1, "v1")
    assert [change.action for change in channel.history] == ["activate"]


def test_activating_what_is_stable_changes_nothing() -> None:
    channel = activated("v1", "v2")
    assert channels.activate(channel, pointer("v2"), author("again")) is channel


def test_the_same_name_with_another_digest_is_another_version() -> None:
    other = Pointer(version="v1", digest="sha256:" + "f" * 64)
    assert channels.activate(activated("v1"), other, author()).stable == other


def test_rollback_goes_to_the_version_before() -> None:
    channel = channels.rollback(activated("v1", "v2", "v3"), author("broken"))

    assert (channel.generation, served(channel)) == (4, "v2")
    assert (channel.history[-1].action, channel.history[-1].why) == ("rollback", "broken")


def test_rolling_back_twice_walks_further_into_the_past_and_never_forward() -> None:
    channel = activated("v1", "v2", "v3")
    channel = channels.rollback(channel, author())
    channel = channels.rollback(channel, author())

    assert served(channel) == "v1"
    with pytest.raises(NothingToRollBack, match="v1 has no predecessor"):
        channels.rollback(channel, author())


def test_after_a_rollback_the_next_activation_has_the_rolled_back_to_version_before_it() -> None:
    channel = channels.rollback(activated("v1", "v2"), author())
    channel = channels.activate(channel, pointer("v3"), author())

    assert served(channels.rollback(channel, author())) == "v1"


def test_what_an_activation_discards_is_gone_back_to_by_nobody() -> None:
    channel = activated("v1", "v2")
    channel = channels.activate(channel, pointer("v3"), author(), discards=True)
    assert channels.previous(channel) == pointer("v1")
    with pytest.raises(NothingToRollBack, match="v2 did not serve before v3"):
        channels.rollback(channel, author(), to="v2")
    assert channels.read(channels.encode(channel), "c").history[-1].discards


def test_a_version_is_discarded_where_it_was_refused_and_not_where_it_served_before() -> None:
    channel = activated("v1", "v2", "v1")
    channel = channels.activate(channel, pointer("v3"), author(), discards=True)
    assert channels.previous(channel) == pointer("v2")
    assert channels.rollback(channel, author(), to="v1").stable == pointer("v1")


def test_a_first_version_that_was_refused_leaves_nothing_to_go_back_to() -> None:
    channel = channels.activate(activated("v1"), pointer("v2"), author(), discards=True)
    assert channels.previous(channel) is None


def test_rollback_can_skip_to_a_version_that_served_before() -> None:
    channel = channels.rollback(activated("v1", "v2", "v3"), author(), to="v1")
    assert served(channel) == "v1"


@pytest.mark.parametrize(
    ("to", "complaint"),
    [
        ("v9", "v9 did not serve before v2"),
        ("v2", "v2 is what the channel serves now"),
        ("v3", "v3 did not serve before v2"),
    ],
)
def test_rollback_to_what_never_served_before_is_refused(to: str, complaint: str) -> None:
    channel = channels.rollback(activated("v1", "v2", "v3"), author())

    with pytest.raises(NothingToRollBack, match=complaint):
        channels.rollback(channel, author(), to=to)


def test_a_first_version_cannot_be_rolled_back_and_the_error_says_where_to_look() -> None:
    with pytest.raises(NothingToRollBack) as caught:
        channels.rollback(activated("v1"), author())

    assert "pointsman history" in caught.value.hint


def test_previous_names_what_rollback_would_go_to() -> None:
    assert channels.previous(activated("v1", "v2")) == pointer("v1")
    assert channels.previous(activated("v1")) is None


def aged(*steps: tuple[str, int]) -> Channel:
    """A channel in which versions were made stable, each at a minute of the hour."""
    channel: Channel | None = None
    for version, minute in steps:
        at = f"2026-01-01T00:{minute:02}:00.000+00:00"
        channel = channels.activate(channel, pointer(version), Author(by="a", at=at, nonce="n"))
    assert channel is not None
    return channel


def test_rollback_prefers_the_last_version_that_was_stable_for_ten_minutes() -> None:
    channel = aged(("v1", 0), ("v2", 20), ("v3", 25), ("v4", 50))
    assert served(channels.rollback(channel, author())) == "v3"
    assert served(channels.rollback(aged(("v1", 0), ("v2", 20), ("v3", 25)), author())) == "v1"


def test_how_long_is_long_enough_can_be_said() -> None:
    channel = aged(("v1", 0), ("v2", 20), ("v3", 25))
    assert channels.previous(channel, healthy_seconds=0) == pointer("v2")
    assert channels.previous(channel, healthy_seconds=24 * 3600) == pointer("v2"), "none was"


def test_being_activated_again_after_an_interruption_is_a_stretch_of_its_own() -> None:
    channel = aged(("v1", 0), ("v2", 30), ("v1", 35), ("v3", 40))
    assert channels.previous(channel) == pointer("v1")


@pytest.mark.parametrize(
    "at", ["", "yesterday", "2026-01-01T00:50:00", "1999-01-01T00:00:00+00:00"]
)
def test_a_time_that_makes_no_sense_does_not_make_a_version_healthy(at: str) -> None:
    channel = aged(("v1", 0), ("v2", 30))
    odd = Author(by="a", at=at, nonce="n")
    assert channels.previous(channels.activate(channel, pointer("v3"), odd)) == pointer("v1")


def test_a_rollback_beyond_what_the_history_remembers_does_not_turn_around() -> None:
    """Once v1's activation is forgotten, all that is remembered was rolled back from."""
    versions = [f"v{number}" for number in range(1, HISTORY_LIMIT + 1)]
    channel = channels.rollback(activated(*versions), author(), to="v1")

    assert channel.history[0].version == "v2"
    assert channels.previous(channel) is None
