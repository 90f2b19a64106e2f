"""What a machine remembers of what it served, for a start without the store."""

from pathlib import Path

from pointsman.cache import Cache
from pointsman_service.serving.aspired import LastServed
from tests.fakes.memory_store import MemoryStore
from tests.service.shelf import Shelf


def last_served(cache: Path, store: str = "memory://") -> LastServed:
    return LastServed(Cache(cache), store, "m", "production")


def test_what_is_remembered_comes_back_as_from_the_cache(tmp_path: Path) -> None:
    shelf = Shelf(MemoryStore(), tmp_path)
    aspired = shelf.aspired(shelf.affine("v1", 1.0))
    last_served(tmp_path).remember(aspired)
    recalled = last_served(tmp_path).recall()
    assert recalled is not None
    assert (recalled.channel, recalled.document) == (aspired.channel, aspired.document)
    assert recalled.origin == "cache"


def test_nothing_is_recalled_where_nothing_was_served(tmp_path: Path) -> None:
    assert last_served(tmp_path).recall() is None


def test_what_was_served_from_another_store_is_not_recalled(tmp_path: Path) -> None:
    shelf = Shelf(MemoryStore(), tmp_path)
    last_served(tmp_path, "s3://bucket/a").remember(shelf.aspired(shelf.affine("v1", 1.0)))
    assert last_served(tmp_path, "s3://bucket/b").recall() is None


def test_a_cache_that_cannot_be_written_is_survived(tmp_path: Path) -> None:
    shelf = Shelf(MemoryStore(), tmp_path / "models")
    file = tmp_path / "file"
    file.touch()
    memory = last_served(file)
    memory.remember(shelf.aspired(shelf.affine("v1", 1.0)))
    assert memory.recall() is None
