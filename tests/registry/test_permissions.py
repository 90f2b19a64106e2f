"""What a user is told who may not: asked as another user than the one who owns the files.

Root may do everything, so that a test which runs as root becomes somebody else in a process of
its own; any other user simply takes the permissions away.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import pytest

from pointsman import pulling, store_checks
from pointsman.cache import Cache
from pointsman.errors import PointsmanError
from pointsman.findings import Finding, Severity
from pointsman.registry import Registry
from pointsman.stores import local, open_store
from tests.registry.processes import CONTEXT, finish, start
from tests.registry.versions import MODEL, store_version

NOBODY = 65534
READ_ONLY, CLOSED = 0o555, 0o000

NEEDED = (local,)  # imported before anybody becomes nobody, who may not read the library


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that others can get to, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="pointsman-permissions-"))
    path.chmod(0o755)
    yield path
    for each in (path, *path.rglob("*")):
        if each.is_dir():
            each.chmod(0o755)
    shutil.rmtree(path)


def _as_somebody_else(
    said: "Queue[Any]", work: Callable[..., Any], arguments: tuple[object, ...]
) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    try:
        said.put(work(*arguments))
    except PointsmanError as error:
        said.put(f"{type(error).__name__}: {error.message}. {error.hint}")


def told(work: Callable[..., Any], *arguments: object) -> Any:
    """What `work` returns to somebody else, or the error as one text."""
    said: Queue[Any] = CONTEXT.Queue()
    process = start(_as_somebody_else, said, work, arguments)
    answer = said.get(timeout=240)
    assert finish([process]) == [0]
    return answer


def findings(url: str) -> list[Finding]:
    return [each for each in store_checks.check(open_store(url)) if each.severity is Severity.ERROR]


def a_store(place: Path) -> str:
    url = (place / "store").as_uri()
    store_version(open_store(url))
    return url


def test_doctor_tells_a_reader_that_it_may_not_write_and_where_to_look(place: Path) -> None:
    url = a_store(place)
    for each in (place / "store").rglob("*"):
        if each.is_dir():
            each.chmod(READ_ONLY)
    (place / "store").chmod(READ_ONLY)

    (finding,) = told(findings, url)

    assert finding.check == "conditional writes"
    assert finding.message.startswith("this user may not write models/pointsman-doctor/")
    assert finding.remediation == f"Check the owner and the mode of {place / 'store'}."


def test_doctor_tells_who_may_not_even_read(place: Path) -> None:
    url = a_store(place)
    (place / "store").chmod(CLOSED)

    (finding,) = told(findings, url)

    assert finding.check == "read"
    assert finding.message == f"this user may not list models/ in {url}"
    assert finding.remediation == f"Check the owner and the mode of {place / 'store'}."


def fetch(url: str, cache: Path) -> object:
    store = open_store(url)
    return Cache(cache).fetch(store, Registry(store).version(MODEL, "v1"))


def pull(url: str, to: Path) -> None:
    store = open_store(url)
    pulling.pull(store, Registry(store).version(MODEL, "v1"), to)


def test_a_cache_that_may_not_be_written_is_named_with_the_reason(place: Path) -> None:
    url = a_store(place)
    (place / "cache").mkdir(mode=READ_ONLY)

    answer = told(fetch, url, place / "cache")

    assert answer.startswith(
        f"CacheUnusable: the cache in {place / 'cache'} cannot be used: Permission denied"
    )


def test_a_directory_that_may_not_be_pulled_into_is_named_with_the_reason(place: Path) -> None:
    url = a_store(place)
    (place / "to").mkdir(mode=READ_ONLY)

    answer = told(pull, url, place / "to")

    assert answer.startswith(f"InvalidModel: cannot write {place / 'to'}")
    assert "Permission denied" in answer
