"""How canary and shadow come, change and go: examples first, then what holds for every history."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman import channel as channels
from pointsman import rollout
from pointsman.channel import HISTORY_LIMIT, Author, Canary, Channel, Pointer, Shadow
from pointsman.document import MAX_DOCUMENT_BYTES
from pointsman.errors import InvalidDocument, InvalidRollout, NothingToRollBack
from tests.registry.channels import activated, author, pointer

WEIGHTS = st.integers(0, 100)
VERSIONS = st.sampled_from(["v1", "v2", "v3"]).map(pointer)
Step = Callable[[Channel], Channel]


def canary(version: str, weight: int) -> Canary:
    return Canary(version=version, digest=pointer(version).digest, weight=weight)


def shadow(version: str, percent: int) -> Shadow:
    return Shadow(version=version, digest=pointer(version).digest, percent=percent)


def started(weight: int = 5) -> Channel:
    """A channel with v2 stable after v1, and v3 as canary."""
    return rollout.start(activated("v1", "v2"), pointer("v3"), weight, author())


def test_a_canary_leaves_stable_what_it_is_and_is_a_change_of_its_own() -> None:
    channel = rollout.start(activated("v1", "v2"), pointer("v3"), 5, author("better"))

    assert (channel.generation, channel.stable, channel.canary) == (
        3,
        pointer("v2"),
        canary("v3", 5),
    )
    last = channel.history[-1]
    assert (last.action, last.version, last.canary, last.why) == (
        "start",
        "v2",
        canary("v3", 5),
        "better",
    )


def test_the_weight_is_set_and_setting_it_again_changes_nothing() -> None:
    channel = rollout.set_weight(started(), 25, author())

    assert (channel.generation, channel.canary) == (4, canary("v3", 25))
    assert rollout.set_weight(channel, 25, author("again")) is channel
    assert rollout.start(channel, pointer("v3"), 25, author("again")) is channel


def test_a_promoted_canary_is_stable_and_a_rollback_returns_from_it() -> None:
    channel = rollout.promote(started(), author())

    assert (channel.stable, channel.canary) == (pointer("v3"), None)
    assert channels.rollback(channel, author()).stable == pointer("v2")


def test_an_aborted_canary_leaves_no_trace_in_what_a_rollback_goes_to() -> None:
    channel = rollout.abort(started(), author())

    assert (channel.stable, channel.canary) == (pointer("v2"), None)
    assert channels.rollback(channel, author()).stable == pointer("v1")


def test_a_rollback_while_a_canary_runs_ends_the_canary_and_nothing_else() -> None:
    channel = channels.rollback(started(), author())

    assert (channel.stable, channel.canary) == (pointer("v2"), None)
    assert channel.history[-1].action == "abort"
    assert channels.rollback(channel, author()).stable == pointer("v1")


def test_a_rollback_to_a_named_version_ends_the_canary_too() -> None:
    channel = channels.rollback(started(), author(), to="v1")
    assert (channel.stable, channel.canary) == (pointer("v1"), None)


@pytest.mark.parametrize(("version", "advice"), [("v3", "promote"), ("v1", "abort")])
def test_an_activation_while_a_canary_runs_is_refused_with_what_to_type(
    version: str, advice: str
) -> None:
    with pytest.raises(InvalidRollout, match="the canary v3 runs") as caught:
        channels.activate(started(), pointer(version), author())
    assert f"rollout {advice}" in caught.value.hint


def test_activating_what_is_stable_does_not_touch_the_canary() -> None:
    channel = started()
    assert channels.activate(channel, pointer("v2"), author()) is channel


@pytest.mark.parametrize("weight", [-1, 101, 1000])
def test_a_weight_outside_of_0_to_100_is_refused(weight: int) -> None:
    with pytest.raises(InvalidRollout, match=f"{weight} %"):
        rollout.start(activated("v1"), pointer("v2"), weight, author())
    with pytest.raises(InvalidRollout, match=f"{weight} %"):
        rollout.set_weight(started(), weight, author())


@pytest.mark.parametrize("percent", [-1, 0, 101])
def test_a_shadow_computes_along_for_1_to_100_percent(percent: int) -> None:
    with pytest.raises(InvalidRollout, match=f"{percent} %") as caught:
        rollout.shadow(activated("v1"), pointer("v2"), percent, author())
    assert "--off" in caught.value.hint


def test_a_canary_is_another_version_than_stable() -> None:
    with pytest.raises(InvalidRollout, match="v2 is what the channel serves already"):
        rollout.start(activated("v1", "v2"), pointer("v2"), 5, author())


@pytest.mark.parametrize(("version", "advice"), [("v3", "rollout set"), ("v1", "rollout abort")])
def test_a_second_canary_is_refused_with_what_to_type(version: str, advice: str) -> None:
    with pytest.raises(InvalidRollout, match="the canary v3 runs already, and gets 5 %") as caught:
        rollout.start(started(), pointer(version), 10, author())
    assert advice in caught.value.hint


@pytest.mark.parametrize(
    "step",
    [
        lambda channel: rollout.set_weight(channel, 5, author()),
        lambda channel: rollout.promote(channel, author()),
        lambda channel: rollout.abort(channel, author()),
    ],
)
def test_without_a_canary_there_is_nothing_to_change_and_the_hint_starts_one(step: Step) -> None:
    with pytest.raises(InvalidRollout, match="no canary is running: v1") as caught:
        step(activated("v1"))
    assert "rollout start" in caught.value.hint


def test_a_shadow_comes_is_replaced_and_goes() -> None:
    channel = rollout.shadow(activated("v1"), pointer("v2"), 10, author())
    assert channel.shadow == shadow("v2", 10)
    assert rollout.shadow(channel, pointer("v2"), 10, author()) is channel

    channel = rollout.shadow(channel, pointer("v3"), 20, author())
    assert channel.history[-1].shadow == shadow("v3", 20)

    channel = rollout.end_shadow(channel, author())
    assert (channel.generation, channel.shadow) == (4, None)
    assert rollout.end_shadow(channel, author()) is channel


@pytest.mark.parametrize(("version", "role"), [("v2", "stable"), ("v3", "canary")])
def test_what_answers_requests_is_not_its_own_shadow(version: str, role: str) -> None:
    with pytest.raises(InvalidRollout, match=f"{version} is {role}"):
        rollout.shadow(started(), pointer(version), 10, author())


def test_a_shadow_stays_through_other_changes_until_it_answers_itself() -> None:
    channel = rollout.shadow(activated("v1", "v2"), pointer("v3"), 10, author())
    channel = rollout.start(channel, pointer("v4"), 5, author())
    channel = rollout.abort(rollout.set_weight(channel, 10, author()), author())
    channel = channels.rollback(channel, author())
    assert channel.shadow == shadow("v3", 10)

    assert rollout.start(channel, pointer("v3"), 5, author()).shadow is None
    assert channels.activate(channel, pointer("v3"), author()).shadow is None


def test_renewing_keeps_every_version() -> None:
    channel = rollout.shadow(started(), pointer("v4"), 10, author())
    again = channels.renew(channel, author("try again"))

    assert again.generation == channel.generation + 1
    assert again.named == channel.named == (pointer("v2"), canary("v3", 5), shadow("v4", 10))


def document(**changes: Any) -> bytes:
    """The document of a channel with a canary, and some members changed here and in its history."""
    members = json.loads(channels.encode(started()))
    members["history"][-1] |= changes
    return json.dumps(members | changes).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"canary": {"version": "v3", "digest": pointer("v3").digest, "weight": 101}},
        {"canary": {"version": "v3", "digest": pointer("v3").digest, "weight": 2.5}},
        {"canary": {"version": "v3", "digest": pointer("v3").digest}},
        {"canary": {"version": "../v3", "digest": pointer("v3").digest, "weight": 5}},
        {"canary": {"version": "v3", "digest": "../../etc/passwd", "weight": 5}},
        {"canary": {"version": "v2", "digest": pointer("v2").digest, "weight": 5}},
        {"shadow": {"version": "v4", "digest": pointer("v4").digest, "percent": 0}},
        {"shadow": {"version": "v3", "digest": pointer("v3").digest, "percent": 10}},
        {"shadow": {"version": "../v4", "digest": pointer("v4").digest, "percent": 10}},
    ],
    ids=str,
)
def test_a_document_with_an_impossible_canary_or_shadow_is_refused(changes: dict[str, Any]) -> None:
    channels.read(document(), "production")
    with pytest.raises(InvalidDocument):
        channels.read(document(**changes), "production")


@pytest.mark.parametrize("role", ["canary", "shadow"])
def test_a_canary_or_shadow_that_the_history_does_not_know_is_refused(role: str) -> None:
    members = json.loads(channels.encode(rollout.shadow(started(), pointer("v4"), 9, author())))
    del members["history"][-1][role]
    with pytest.raises(InvalidDocument, match="last entry of its own history"):
        channels.read(json.dumps(members).encode(), "production")


def test_a_canary_that_ended_is_not_kept_as_a_member_that_nobody_knows() -> None:
    before = channels.encode(rollout.shadow(started(), pointer("v4"), 9, author()))
    channel = rollout.end_shadow(rollout.abort(channels.read(before, "c"), author()), author())

    written = json.loads(channels.encode(channel, before))

    assert not {"canary", "shadow"} & set(written)


def test_what_a_newer_writer_said_of_a_canary_survives_while_it_runs() -> None:
    members = json.loads(channels.encode(started()))
    members["canary"]["sticky"] = "user"
    before = json.dumps(members).encode()

    heavier = rollout.set_weight(channels.read(before, "c"), 50, author())
    other = rollout.start(rollout.abort(heavier, author()), pointer("v4"), 5, author())

    assert json.loads(channels.encode(heavier, before))["canary"]["sticky"] == "user"
    assert json.loads(channels.encode(heavier, before))["canary"]["weight"] == 50
    assert "sticky" not in json.loads(channels.encode(other, before))["canary"]


def test_a_history_full_of_canaries_stays_readable() -> None:
    long = Pointer(version="v" * 128, digest=pointer("v3").digest)
    endless = Author(by="\0" * 9_000, at="now", nonce="n", why="\0" * 9_000, host="\0" * 9_000)
    channel = rollout.shadow(
        started(), Pointer(version="w" * 128, digest=pointer("v4").digest), 9, endless
    )
    channel = rollout.abort(channel, endless)
    for _ in range(HISTORY_LIMIT):
        channel = rollout.start(channel, long, 5, endless)
        channel = rollout.abort(channel, endless)

    data = channels.encode(channel)

    assert len(data) < MAX_DOCUMENT_BYTES
    assert channels.read(data, "production") == channel


STEPS = st.lists(
    st.one_of(
        VERSIONS.map(lambda to: lambda channel: channels.activate(channel, to, author())),
        st.just(lambda channel: channels.rollback(channel, author())),
        st.sampled_from(["v1", "v2", "v3"]).map(
            lambda to: lambda channel: channels.rollback(channel, author(), to)
        ),
        st.builds(
            lambda to, weight: lambda channel: rollout.start(channel, to, weight, author()),
            VERSIONS,
            WEIGHTS,
        ),
        WEIGHTS.map(lambda weight: lambda channel: rollout.set_weight(channel, weight, author())),
        st.just(lambda channel: rollout.promote(channel, author())),
        st.just(lambda channel: rollout.abort(channel, author())),
        VERSIONS.map(lambda to: lambda channel: rollout.shadow(channel, to, 10, author())),
        st.just(lambda channel: rollout.end_shadow(channel, author())),
    ),
    max_size=40,
)


def walked(steps: list[Step]) -> list[Channel]:
    """Every state of a channel that takes these steps, where they can be taken."""
    states = [activated("v1")]
    for step in steps:
        try:
            states.append(step(states[-1]))
        except (InvalidRollout, NothingToRollBack):
            continue
    return states


@given(STEPS)
def test_every_change_is_one_generation_and_one_entry(steps: list[Step]) -> None:
    states = walked(steps)
    for before, after in itertools.pairwise(states):
        if after is not before:
            assert after.generation == before.generation + 1
            assert after.history[:-1] == before.history


@given(STEPS)
def test_whatever_happened_the_document_reads_back_as_it_was(steps: list[Step]) -> None:
    """And so the roles are three versions, and the last entry describes the present."""
    before: bytes | None = None
    for channel in walked(steps):
        before = channels.encode(channel, before)
        assert channels.read(before, "production") == channel


@given(STEPS)
def test_where_a_rollback_goes_does_not_depend_on_canaries_that_were_not_promoted(
    steps: list[Step],
) -> None:
    """A model that cannot be wrong: a stack that only changes of stable push and pop."""
    channel = activated("v1")
    stack = [pointer("v1")]
    for step in steps:
        for after in walked_from(channel, step):
            if after.history[-1].action == "rollback":
                while stack[-1] != after.stable:
                    stack.pop()
            elif after.stable != stack[-1]:
                stack.append(after.stable)
            channel = after
    assert channels.previous(channel) == (stack[-2] if len(stack) > 1 else None)


def walked_from(channel: Channel, step: Step) -> list[Channel]:
    """The state after a step, if it can be taken."""
    try:
        return [step(channel)]
    except (InvalidRollout, NothingToRollBack):
        return []
