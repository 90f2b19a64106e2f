"""Numbers and moments as people read them."""

import pytest

from pointsman_cli.units import clean, counted, duration, moment, size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (4_432, "4.4 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (76_500_000, "76.5 MB"),
        (4_700_000_000, "4.7 GB"),
        (3e15, "3000.0 TB"),
    ],
)
def test_bytes_are_told_in_the_unit_that_keeps_them_below_a_thousand(
    count: float, text: str
) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0, "0 s"),
        (0.000_34, "340 µs"),
        (0.000_999_9, "1 ms"),
        (0.012, "12 ms"),
        (0.999_7, "1.0 s"),
        (1.44, "1.4 s"),
        (9.97, "10 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_199, "2 h"),
        (172_000, "2 d"),
    ],
)
def test_seconds_are_told_without_ever_reaching_the_next_unit(
    seconds: float | None, text: str
) -> None:
    assert duration(seconds) == text


def test_a_moment_is_told_to_the_second() -> None:
    assert moment("2026-11-22T20:13:06.123+00:00") == "2026-11-22 20:13:06"


def test_one_is_not_a_plural() -> None:
    assert [counted(count, "row") for count in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]


def test_control_characters_are_shown_and_not_sent() -> None:
    assert clean("a\x1b[31mb\x07\x9bc\x7f") == r"a\x1b[31mb\x07\x9bc\x7f"


def test_lines_tabs_and_every_script_pass() -> None:
    text = "one\ntwo\tdrei ✓ 三 👩‍🚒"
    assert clean(text) == text
