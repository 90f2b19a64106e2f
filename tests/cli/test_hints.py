"""Hints are complete: what is typed as they say works on what the command worked on."""

import pytest

from pointsman_cli import hints
from tests.cli.fleet import FakeInstance, following
from tests.cli.workspace import MODEL, Workspace


@pytest.mark.parametrize(
    ("hint", "completed"),
    [
        ("`pointsman rollback` goes back.", "`pointsman rollback --channel staging` goes back."),
        ("`pointsman rollout set 25`", "`pointsman rollout set 25 --channel staging`"),
        ("`pointsman status --channel other`", "`pointsman status --channel other`"),
        ("`pointsman activate --help` shows it.", "`pointsman activate --help` shows it."),
        ("`pointsman --debug …` shows where.", "`pointsman --debug …` shows where."),
        ("Check the key.", "Check the key."),
        (
            "`pointsman models list`, `pointsman status`",
            "`pointsman models list --channel staging`, `pointsman status --channel staging`",
        ),
    ],
)
def test_commands_in_a_hint_get_the_options_they_lack(hint: str, completed: str) -> None:
    assert hints.complete(hint, {"channel": "staging"}) == completed


def test_without_options_a_hint_stays_as_it_is() -> None:
    assert (
        hints.complete("`pointsman rollback` goes back.", {}) == "`pointsman rollback` goes back."
    )


def test_what_a_shell_would_take_apart_is_quoted() -> None:
    assert hints.complete("`pointsman status`", {"store": "file:///a b"}) == (
        "`pointsman status --store 'file:///a b'`"
    )


def test_a_failure_in_another_channel_says_how_to_go_back_there(listed: Workspace) -> None:
    """Without the option, the command of the hint would move the default channel."""
    listed.registry.activate(MODEL, "v1")
    listed.registry.activate(MODEL, "v1", "staging")
    hint = listed.json("rollout", "abort", "--channel", "staging", code=1)["hint"]
    assert "`pointsman rollout start VERSION --weight 5 --channel staging` starts one." in hint
    told = listed.run("rollback", "-c", "staging", code=1).err
    assert "`pointsman history --channel staging` lists what served" in told


def test_a_hint_in_the_default_channel_is_short(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    refusing = FakeInstance(listed.registry.store, MODEL, refuses=frozenset({"v2"}))
    with following(refusing):
        hint = listed.json("activate", "v2", "--keep", code=3)["hint"]
    assert "`pointsman rollback` goes back." in hint
