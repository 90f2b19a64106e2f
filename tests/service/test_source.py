"""Following a channel: what is announced and when, and what happens while it cannot be read."""

from pathlib import Path

import pytest

from pointsman import keys
from pointsman.cache import Cache
from pointsman_service.serving.aspired import Aspired, LastServed
from pointsman_service.serving.source import Source
from tests.fakes.memory_store import MemoryStore
from tests.service.obedient_store import ObedientStore
from tests.service.shelf import Shelf

pytestmark = pytest.mark.anyio

POLL_SECONDS = 2.0


class Followed:
    """A source over a store that obeys, with what it announced."""

    def __init__(self, directory: Path) -> None:
        self.store = ObedientStore(MemoryStore())
        self.shelf = Shelf(self.store, directory)
        self.last_served = LastServed(Cache(directory), self.store.url, "m", "production")
        self.announced: list[Aspired] = []
        self.changes = 0
        self.source = Source(
            self.store,
            self.last_served,
            "m",
            "production",
            POLL_SECONDS,
            self.announced.append,
            self._changed,
        )

    def _changed(self) -> None:
        self.changes += 1

    @property
    def heard(self) -> list[tuple[int, str, str]]:
        """Generation, version and origin of what was announced."""
        return [
            (each.channel.generation, each.channel.stable.version, each.origin)
            for each in self.announced
        ]


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    """A channel in which nothing is active yet."""
    return Followed(tmp_path)


async def test_only_changes_are_announced(followed: Followed) -> None:
    v1, v2 = followed.shelf.affine("v1", 1.0), followed.shelf.affine("v2", 2.0)
    followed.shelf.activate(v1)
    await followed.source.look()
    await followed.source.look()
    followed.shelf.activate(v2)
    await followed.source.look()
    await followed.source.look()
    assert followed.heard == [(1, "v1", "store"), (2, "v2", "store")]


async def test_a_poll_is_one_conditional_read_and_never_a_listing(followed: Followed) -> None:
    followed.shelf.activate(followed.shelf.affine("v1", 1.0))
    await followed.source.look()
    followed.store.calls.clear()
    await followed.source.look()
    assert followed.store.calls == ["get"]


async def test_a_channel_that_was_never_used_is_trouble_until_it_is(followed: Followed) -> None:
    await followed.source.look()
    assert followed.source.trouble == "nothing is active in the channel production of m"
    assert followed.announced == []
    followed.shelf.activate(followed.shelf.affine("v1", 1.0))
    await followed.source.look()
    assert followed.source.trouble == ""
    assert followed.heard == [(1, "v1", "store")]


async def test_a_store_that_is_gone_is_trouble_and_nothing_new_is_announced(
    followed: Followed,
) -> None:
    followed.shelf.activate(followed.shelf.affine("v1", 1.0))
    await followed.source.look()
    followed.store.reachable = False
    await followed.source.look()
    assert "does not answer" in followed.source.trouble
    followed.store.reachable = True
    await followed.source.look()
    assert followed.source.trouble == ""
    assert followed.heard == [(1, "v1", "store")]


async def test_trouble_that_begins_or_ends_is_worth_a_heartbeat_and_trouble_that_lasts_is_not(
    followed: Followed,
) -> None:
    followed.shelf.activate(followed.shelf.affine("v1", 1.0))
    await followed.source.look()
    assert followed.changes == 0
    followed.store.reachable = False
    for _ in range(3):
        await followed.source.look()
    assert followed.changes == 1
    followed.store.reachable = True
    for _ in range(3):
        await followed.source.look()
    assert followed.changes == 2


async def test_a_channel_that_cannot_be_understood_is_trouble_and_the_last_one_stays(
    followed: Followed,
) -> None:
    followed.shelf.activate(followed.shelf.affine("v1", 1.0))
    await followed.source.look()
    key = keys.channel("m", "production")
    good = followed.store.get(key)
    assert good is not None
    followed.store.overwrite(key, b'{"schema": 1, "generation": "many"}')
    await followed.source.look()
    assert "cannot be read" in followed.source.trouble
    followed.store.overwrite(key, good.data)
    await followed.source.look()
    assert followed.source.trouble == ""
    assert {version for _, version, _ in followed.heard} == {"v1"}


@pytest.mark.parametrize("reachable", [False, True], ids=["unreachable", "empty"])
async def test_without_a_channel_what_was_served_last_is_announced_once(
    followed: Followed,
    reachable: bool,  # noqa: FBT001 — a parameter
) -> None:
    followed.last_served.remember(followed.shelf.aspired(followed.shelf.affine("v1", 1.0)))
    followed.store.reachable = reachable
    await followed.source.look()
    await followed.source.look()
    assert followed.heard == [(1, "v1", "cache")]
    assert followed.source.trouble


async def test_the_store_is_believed_again_when_it_comes_back(followed: Followed) -> None:
    v1, v2 = followed.shelf.affine("v1", 1.0), followed.shelf.affine("v2", 2.0)
    followed.last_served.remember(followed.shelf.aspired(v1))
    followed.shelf.activate(v1)
    followed.shelf.activate(v2)
    followed.store.reachable = False
    await followed.source.look()
    followed.store.reachable = True
    await followed.source.look()
    assert followed.heard == [(1, "v1", "cache"), (2, "v2", "store")]


async def test_a_memory_that_cannot_be_understood_is_no_memory(
    followed: Followed, tmp_path: Path
) -> None:
    Cache(tmp_path).remember("m", "production", b"not a document", "")
    followed.store.reachable = False
    await followed.source.look()
    assert followed.announced == []


class Ended(Exception):
    """Enough polls were seen."""


async def test_polls_back_off_while_the_store_is_gone_and_never_for_long(
    followed: Followed,
) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        followed.store.reachable = len(pauses) >= 1100
        if len(pauses) > 1101:
            raise Ended

    followed.store.reachable = False
    with pytest.raises(Ended):
        await followed.source.run(pause)
    assert 3.6 <= pauses[0] <= 4.4
    assert 7.2 <= pauses[1] <= 8.8
    assert all(27 <= seconds <= 33 for seconds in pauses[5:1100])
    assert 1.8 <= pauses[1101] <= 2.2, "and back to the usual pace once it answers"


async def test_the_age_is_that_of_the_last_answer(followed: Followed) -> None:
    before = followed.source.age_seconds
    followed.shelf.activate(followed.shelf.affine("v1", 1.0))
    await followed.source.look()
    after = followed.source.age_seconds
    assert before is None
    assert after is not None
    assert after >= 0
