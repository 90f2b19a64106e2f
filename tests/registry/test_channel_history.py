"""What holds for every history that a channel can have."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman import channel as channels
from pointsman.channel import HISTORY_LIMIT
from pointsman.errors import NothingToRollBack
from tests.registry.channels import STEPS, VERSIONS, activated, author, pointer, served, walked


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
