"""The rules by which a channel changes: examples first, then what holds for every history."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman import channel as channels
from pointsman.channel import HISTORY_LIMIT, TEXT_LIMIT, Author, Channel, Pointer
from pointsman.document import MAX_DOCUMENT_BYTES
from pointsman.errors import InvalidDocument, NothingToRollBack

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


def test_the_history_keeps_the_beginning_of_long_texts_so_that_a_channel_stays_readable() -> None:
    channel: Channel | None = None
    for number in range(HISTORY_LIMIT + 1):
        endless = Author(by="b" * 100_000, at="now", nonce="n", why="\0" * 100_000)
        channel = channels.activate(channel, pointer(f"v{number}"), endless)
    assert channel is not None

    data = channels.encode(channel)

    assert len(data) < MAX_DOCUMENT_BYTES
    assert len(channel.history[-1].why) == TEXT_LIMIT
    assert channels.read(data, "production") == channel


def document(**changes: Any) -> bytes:
    """A channel's document with some members changed; ... takes one away."""
    members = json.loads(channels.encode(activated("v1", "v2"))) | changes
    return json.dumps({name: value for name, value in members.items() if value is not ...}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"null",
        b"[]",
        b'{"schema": 1, "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"schema": 1, "huge": 1e999}',
        b'{"schema": 1, "text": "\xff"}',
        document(schema=2),
        document(schema="1"),
        document(generation="2"),
        document(generation=3),
        document(history=[]),
        document(stable=...),
        document(stable={"version": "v1", "digest": pointer("v1").digest}),
        document(stable={"version": "../v2", "digest": pointer("v2").digest}),
        document(stable={"version": "v2", "digest": "md5:0123"}),
    ],
    ids=lambda data: data[:40].decode(errors="replace"),
)
def test_a_document_that_is_no_channel_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(InvalidDocument) as caught:
        channels.read(data, "production")

    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    "stable",
    [
        {"version": "../v2", "digest": "sha256:" + "0" * 64},
        {"version": "v2", "digest": "../../etc/passwd"},
    ],
)
def test_a_channel_that_agrees_with_itself_may_still_name_nothing_dangerous(
    stable: dict[str, str],
) -> None:
    last = {"generation": 1, "action": "activate", "by": "eve", "at": "now"} | stable
    data = document(generation=1, stable=stable, history=[last])

    with pytest.raises(InvalidDocument):
        channels.read(data, "production")


def test_a_newer_schema_is_answered_with_advice_even_when_nothing_else_fits() -> None:
    with pytest.raises(InvalidDocument) as caught:
        channels.read(b'{"schema": 2, "everything": "new"}', "production")

    assert "schema 2" in caught.value.message
    assert "Upgrade" in caught.value.hint


def test_members_of_a_newer_writer_survive_a_change_wherever_they_stand() -> None:
    members = json.loads(channels.encode(activated("v1", "v2")))
    members["approvals"] = {"version": "v3", "needed": 10, "big": 2**70}
    members["history"][0]["approved_by"] = "grace"
    members["stable"]["region"] = "eu"
    replaced = json.dumps(members).encode()

    changed = channels.activate(channels.read(replaced, "production"), pointer("v3"), author())
    written = json.loads(channels.encode(changed, replaced))

    assert written["approvals"] == members["approvals"]
    assert written["history"][0]["approved_by"] == "grace"
    assert "region" not in written["stable"], "it was said of another version"
    assert channels.read(json.dumps(written).encode(), "production") == changed


def test_members_of_the_stable_version_survive_while_it_stays() -> None:
    channel = activated("v1")
    members = json.loads(channels.encode(channel))
    members["stable"]["region"] = "eu"

    written = json.loads(channels.encode(channel, json.dumps(members).encode()))

    assert written["stable"]["region"] == "eu"


@given(STEPS)
def test_every_change_raises_the_generation_by_one(steps: list[str | None]) -> None:
    for before, after in zip(states := walked(steps), states[1:], strict=False):
        assert after is before or after.generation == before.generation + 1


@given(STEPS)
def test_the_last_entry_of_the_history_is_the_present(steps: list[str | None]) -> None:
    for channel in walked(steps):
        last = channel.history[-1]
        assert (last.generation, last.pointer) == (channel.generation, channel.stable)
        assert channels.read(channels.encode(channel), "production") == channel


@given(STEPS)
def test_rollback_only_goes_to_a_version_that_served_and_was_left_by_an_activation(
    steps: list[str | None],
) -> None:
    """A model that cannot be wrong: a stack that activations push and rollbacks pop."""
    channel = activated("v1")
    stack = ["v1"]
    for step in steps:
        if step is not None:
            if step != stack[-1]:
                stack.append(step)
            channel = channels.activate(channel, pointer(step), author())
        elif len(stack) > 1:
            stack.pop()
            channel = channels.rollback(channel, author())
        else:
            with pytest.raises(NothingToRollBack):
                channels.rollback(channel, author())
        assert served(channel) == stack[-1]


@given(STEPS, VERSIONS)
def test_rollback_to_a_version_never_goes_where_a_plain_rollback_could_not(
    steps: list[str | None], to: str
) -> None:
    channel = walked(steps)[-1]
    reachable = set()
    back = channel
    while (earlier := channels.previous(back)) is not None:
        reachable.add(earlier.version)
        back = channels.rollback(back, author())

    try:
        target = served(channels.rollback(channel, author(), to=to))
    except NothingToRollBack:
        assert to not in reachable - {served(channel)}
    else:
        assert target == to
        assert to in reachable


@settings(max_examples=20)
@given(st.lists(VERSIONS, min_size=HISTORY_LIMIT, max_size=HISTORY_LIMIT + 30))
def test_the_history_is_bounded_and_has_no_gaps(versions: list[str]) -> None:
    channel = activated(*versions)
    generations = [change.generation for change in channel.history]

    assert len(generations) <= HISTORY_LIMIT
    assert generations == list(range(generations[0], channel.generation + 1))


@given(STEPS, VERSIONS)
def test_activation_of_the_stable_version_is_the_identity(
    steps: list[str | None], version: str
) -> None:
    channel = channels.activate(walked(steps)[-1], pointer(version), author())
    assert channels.activate(channel, pointer(version), author()) is channel
