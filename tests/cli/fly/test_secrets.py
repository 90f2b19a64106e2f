"""Secrets arrive as they were, whatever is in them, or are refused before anything is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman_cli.errors import CommandError
from pointsman_cli.platforms.fly import secrets
from tests.fakes.flyctl import secret_lines

AWKWARD = st.lists(
    st.sampled_from(['"', '"""', "'", "#", " ", "=", "\n", "\r\n", "a", "é", "\\", "x" * 9000]),
    max_size=12,
).map("".join)


def arrived(values: dict[str, str]) -> dict[str, str]:
    """Return what flyctl's parser, and its reading of single values, make of a shipment."""
    shipment = secrets.shipment(values)
    singles = {name: value.strip() for name, value in shipment.singles.items()}
    return secret_lines.parsed(shipment.document) | singles


@given(st.dictionaries(st.sampled_from(["A", "B_C", "AWS_SECRET_ACCESS_KEY"]), AWKWARD))
def test_what_arrives_is_what_was_sent(values: dict[str, str]) -> None:
    try:
        sent = secrets.shipment(values)
    except CommandError:
        return
    assert arrived(values) == values
    assert sent.document.count("\n") >= len(values) - len(sent.singles)


@pytest.mark.parametrize("value", ["plain/+=", "# first", 'a "quote', "two\nlines", '"""', "'"])
def test_usual_and_unusual_values_need_one_command(value: str) -> None:
    assert not secrets.shipment({"A": value}).singles
    assert arrived({"A": value}) == {"A": value}


@pytest.mark.parametrize("value", ['a"#b', "a\r\nb", 'x"""\ny', "z" * 65_000])
def test_what_the_parser_would_spoil_goes_by_itself(value: str) -> None:
    assert set(secrets.shipment({"A": value, "B": "b"}).singles) == {"A"}
    assert arrived({"A": value, "B": "b"}) == {"A": value, "B": "b"}


@pytest.mark.parametrize("value", [' a"#b', "a\r\n", "z" * 66_000])
def test_what_no_way_keeps_whole_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(CommandError, match="the value of the secret A cannot be handed") as caught:
        secrets.shipment({"A": value})
    assert value not in caught.value.message + caught.value.hint
