"""`models promote`: what staging serves becomes what production serves, by digest."""

import pytest

import pointsman
from tests.cli.workspace import MODEL, Workspace

STAGED = f"""
model = "{MODEL}"
[env.staging]
channel = "staging"
[env.live]
store = "live"
channel = "main"
"""


@pytest.fixture
def staged(listed: Workspace) -> Workspace:
    """A folder where v2 serves in staging and v1 in production."""
    listed.file.write_text(STAGED)
    listed.registry.activate(MODEL, "v2", "staging")
    listed.registry.activate(MODEL, "v1", "production")
    return listed


def test_between_channels_nothing_is_copied(staged: Workspace) -> None:
    before = set(staged.objects())
    moved = staged.json(
        "models", "promote", f"{MODEL}@v2", "--from", "staging", "--to", "production"
    )
    assert (moved["from"], moved["to"], moved["channel"]) == ("v1", "v2", "production")
    assert set(staged.objects()) == before
    production = staged.registry.channel(MODEL, "production")
    assert production.stable == staged.registry.channel(MODEL, "staging").stable
    assert production.history[-1].why == "promoted from staging"


def test_into_another_store_the_version_is_copied_by_digest(staged: Workspace) -> None:
    told = staged.run("models", "promote", "--from", "staging", "--to", "live")
    assert f"{MODEL} v2 is in file://" in told.err
    live = pointsman.open((staged.folder / "live").as_uri())
    stable = live.channel(MODEL, "main").stable
    assert stable == staged.registry.channel(MODEL, "staging").stable
    assert live.resolve(MODEL, stable).digest == stable.digest
    again = staged.json("models", "promote", "v2", "--from", "staging", "--to", "live")
    assert (again["from"], again["to"]) == ("v2", "v2")


def test_only_what_was_tried_is_promoted(staged: Workspace) -> None:
    result = staged.run("models", "promote", "v3", "--from", "staging", code=1)
    assert "staging serves v2, and not v3" in result.err
    assert "`pointsman activate v3` there" in result.err
    assert staged.registry.channel(MODEL, "production").stable.version == "v1"


def test_a_dry_run_changes_nothing(staged: Workspace) -> None:
    before = staged.objects()
    plan = staged.json("models", "promote", "--from", "staging", "--to", "live", "--dry-run")[
        "plan"
    ]
    assert plan[0].startswith("copy what is missing of ")
    assert plan[1] == f"move {MODEL}/main from nothing to v2"
    assert staged.objects() == before
    assert not (staged.folder / "live" / "models").exists()


def test_a_dry_run_says_that_there_is_nothing_to_move(staged: Workspace) -> None:
    promote = ("models", "promote", "--from", "staging", "--to", "other")
    staged.run(*promote, "--no-wait")
    told = staged.run(*promote, "--dry-run").out
    assert told == f"leave {MODEL}/other at v2, which it names already\n"


def test_a_place_is_not_promoted_to_itself(staged: Workspace) -> None:
    result = staged.run("models", "promote", "--from", "staging", "--to", "staging", code=2)
    assert "are the same channel of the same store" in result.err


def test_a_channel_where_nothing_is_active_says_so(staged: Workspace) -> None:
    result = staged.run("models", "promote", "--from", "nowhere", code=1)
    assert "nothing is active in the channel nowhere" in result.err
