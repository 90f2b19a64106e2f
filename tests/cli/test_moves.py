"""Moving a channel while others do: what is insisted on, and what is not done twice."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from pointsman.channel import Channel
from pointsman.errors import ChannelConflict, NothingToRollBack
from pointsman.registry import Registry
from pointsman_cli.context import Context
from pointsman_cli.moves import Move, carry_out, present
from pointsman_cli.output import Output
from pointsman_cli.wishes import Activation, Return
from tests.fakes.memory_store import MemoryStore
from tests.fakes.unreliable_store import WrappedStore
from tests.registry.versions import MODEL, store_version

Result = TypeVar("Result")


class ContestedStore(WrappedStore):
    """Lets somebody else act right before the first write of a channel."""

    def __init__(self, inner: MemoryStore, others: Callable[[], object]) -> None:
        super().__init__(inner)
        self._others = [others]

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        if name in {"create", "update"} and self._others:
            self._others.pop()()
        return work()


@pytest.fixture
def registry() -> Registry:
    store = MemoryStore()
    for version in ("v1", "v2", "v3"):
        store_version(store, version)
    return Registry(store)


def context(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setenv("POINTSMAN_MODEL", MODEL)
    context = Context(Output(), {})
    context.registry = registry
    return context


def contested(
    registry: Registry, others: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> Context:
    assert isinstance(registry.store, MemoryStore)
    return context(Registry(ContestedStore(registry.store, others)), monkeypatch)


def state(registry: Registry) -> Channel:
    return registry.channel(MODEL, "production")


def test_a_move_knows_from_where_it_came(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = context(registry, monkeypatch)
    assert carry_out(here, Activation("v1"), "").origin is None
    done = carry_out(here, Activation("v2"), "better")
    assert (done.origin, done.goal.version, done.changed) == ("v1", "v2", True)
    assert done.after.history[-1].why == "better"


def test_activating_what_is_active_is_not_a_change(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = context(registry, monkeypatch)
    carry_out(here, Activation("v1"), "")
    assert not carry_out(here, Activation("v1"), "").changed


def test_an_activation_insists_and_names_what_it_really_replaced(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.activate(MODEL, "v1")
    here = contested(registry, lambda: registry.activate(MODEL, "v2"), monkeypatch)
    done = carry_out(here, Activation("v3"), "")
    assert (done.origin, state(registry).stable.version) == ("v2", "v3")


def test_a_first_activation_insists_too(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = contested(registry, lambda: registry.activate(MODEL, "v2"), monkeypatch)
    assert carry_out(here, Activation("v3"), "").origin == "v2"


def test_two_operators_who_roll_back_at_once_end_one_step_back(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("v1", "v2", "v3"):
        registry.activate(MODEL, version)
    here = contested(registry, lambda: registry.rollback(MODEL, by="another"), monkeypatch)
    with pytest.raises(ChannelConflict, match="somebody else moved the channel") as caught:
        carry_out(here, Return(None), "")
    assert "pointsman history" in caught.value.hint
    assert state(registry).stable.version == "v2"


def test_going_back_without_a_past_changes_nothing(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = context(registry, monkeypatch)
    registry.activate(MODEL, "v1")
    with pytest.raises(NothingToRollBack):
        carry_out(here, Return(None), "")
    assert state(registry).generation == 1


def test_a_channel_that_was_never_used_is_nothing(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert present(context(registry, monkeypatch)) is None


def test_the_document_has_its_shape_with_and_without_a_confirmation(registry: Registry) -> None:
    registry.activate(MODEL, "v1")
    before = state(registry)
    move = Move(MODEL, "production", before, registry.activate(MODEL, "v2"))
    assert move.document(None) == {
        "model": MODEL,
        "channel": "production",
        "action": "activate",
        "generation": 2,
        "from": "v1",
        "to": "v2",
        "canary": None,
        "shadow": None,
        "seconds": None,
        "instances": [],
        "stale": [],
        "failed_requests": None,
    }
