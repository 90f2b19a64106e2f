"""The end of a log, and what is added to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman_cli.platforms.log_tail import follow, last_lines


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "service.log"
    path.write_text("one\ntwo\nthree\n")
    return path


def until_told(*answers: bool) -> Iterator[bool]:
    """Say whether the service goes on: as told, and then no longer."""
    yield from answers
    while True:
        yield False


def test_the_last_lines_are_told(log: Path) -> None:
    assert last_lines(log, 2) == ["two", "three"]
    assert last_lines(log, 99) == ["one", "two", "three"]
    assert last_lines(log, 0) == []


def test_bytes_that_are_not_text_do_no_harm(log: Path) -> None:
    log.write_bytes(b"a\xff\r\n")
    assert last_lines(log, 1) == ["a\N{REPLACEMENT CHARACTER}"]


def test_following_ends_with_the_service_and_tells_all_it_said(log: Path) -> None:
    goes_on = until_told(True, True)

    def look() -> bool:
        with log.open("a") as file:
            file.write("more\n")
        return next(goes_on)

    assert list(follow(log, 1, look)) == ["three", "more", "more", "more"]


def test_a_line_is_told_when_it_is_complete(log: Path) -> None:
    additions = iter(["ha", "lf\nlast", " words"])

    def look() -> bool:
        addition = next(additions)
        with log.open("a") as file:
            file.write(addition)
        return addition != " words"

    assert list(follow(log, 0, look)) == ["half", "last words"]


def test_a_log_that_ends_without_a_line_break_is_not_told_twice(log: Path) -> None:
    log.write_text("one\nunfini")

    def look() -> bool:
        with log.open("a") as file:
            file.write("shed\n")
        return False

    assert list(follow(log, 5, look)) == ["one", "unfinished"]


def test_following_ends_when_the_log_is_removed(log: Path) -> None:
    def look() -> bool:
        log.unlink(missing_ok=True)
        return True

    assert list(follow(log, 1, look)) == ["three"]
