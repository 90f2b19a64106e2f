"""Canonical JSON: one way to write a document, and few ways to fail at reading one."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman import document
from pointsman.errors import InvalidDocument, PointsmanError

SIMPLE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
JSON = st.recursive(
    SIMPLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A record with a member that must be there."""

    schema: int
    name: str


def test_members_are_sorted_and_nothing_is_wasted() -> None:
    assert document.encode({"b": 1, "a": {"d": "ü", "c": None}}) == (
        '{"a":{"c":null,"d":"ü"},"b":1}'.encode()
    )


def test_a_document_comes_back_as_it_was() -> None:
    record = Example(schema=1, name="x")
    assert document.decode(document.encode(record), Example, "it") == record


def test_unknown_members_are_no_error() -> None:
    data = b'{"schema":1,"name":"x","future":[{}]}'
    assert document.decode(data, Example, "it") == Example(schema=1, name="x")


def test_an_error_names_the_document_and_the_member() -> None:
    with pytest.raises(InvalidDocument, match=r"the thing cannot be read: .*\$\.name"):
        document.decode(b'{"schema":1,"name":5}', Example, "the thing")


@settings(max_examples=50)
@given(st.dictionaries(st.text(), JSON))
def test_whatever_is_written_is_read_back_equal(members: dict[str, Any]) -> None:
    assert document.members(document.encode(members), "it") == members


@settings(max_examples=50)
@given(st.dictionaries(st.text(), JSON))
def test_what_can_be_read_can_be_written_again(members: dict[str, Any]) -> None:
    data = document.encode(members)
    assert document.encode(document.members(data, "it")) == data


@given(
    st.binary(max_size=100) | st.text(alphabet='{}[]":,0123456789.eE-', max_size=50).map(str.encode)
)
def test_no_bytes_raise_anything_but_our_own_error(data: bytes) -> None:
    try:
        document.decode(data, Example, "it")
    except PointsmanError:
        return
