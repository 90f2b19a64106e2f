"""Writers at once, of every store: one creator wins, and no update is lost."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from pointsman.errors import ObjectExists, PreconditionFailed
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from tests.registry.processes import finish, start

WRITERS = 8
INCREMENTS = 25

# moto compares and writes in two steps that threads can come between: it loses races by itself.
RACES = pytest.mark.parametrize("store", ["file", "s3", "gcs", "memory"], indirect=True)


@RACES
def test_of_many_creators_exactly_one_wins(store: ObjectStore) -> None:
    def create(number: int) -> bool:
        try:
            store.create("a/doc.json", str(number).encode())
        except ObjectExists:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        won = list(pool.map(create, range(WRITERS)))

    stored = store.get("a/doc.json")
    assert stored is not None
    assert won.count(True) == 1
    assert won[int(stored.data)]


def increment(store: ObjectStore, key: str, times: int) -> None:
    """Read, add one, write if nobody else did, and try again if somebody did."""
    for _ in range(times):
        while True:
            stored = store.get(key)
            assert stored is not None
            counter = msgspec.json.decode(stored.data)
            try:
                store.update(key, msgspec.json.encode(counter + 1), stored.info.etag)
            except PreconditionFailed:
                continue
            break


def increment_at(url: str, key: str, times: int) -> None:
    """Do so in a process of its own."""
    increment(open_store(url), key, times)


def counted(store: ObjectStore) -> int:
    stored = store.get("a/counter.json")
    assert stored is not None
    return int(stored.data)


@RACES
def test_no_increment_is_lost_in_a_race_of_threads(store: ObjectStore) -> None:
    # As wide as the last number, so that only the ETag can tell two documents apart.
    store.create("a/counter.json", b"100")
    failures: list[BaseException] = []

    def work() -> None:
        try:
            increment(store, "a/counter.json", INCREMENTS)
        except BaseException as error:  # noqa: BLE001 — judged in the main thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert counted(store) == 100 + WRITERS * INCREMENTS


def test_no_increment_is_lost_in_a_race_of_processes(store_url: str) -> None:
    store = open_store(store_url)
    store.create("a/counter.json", b"100")

    writing = [start(increment_at, store_url, "a/counter.json", INCREMENTS) for _ in range(WRITERS)]

    assert finish(writing) == [0] * WRITERS
    assert counted(store) == 100 + WRITERS * INCREMENTS
