"""Names become object keys and file paths: what may be one, and what may not."""

from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman import keys
from pointsman.errors import InvalidName
from pointsman.names import channel_name, inner_path, instance_name, model_name, version_name

NAMES = [model_name, version_name, channel_name, instance_name]

good_name = pytest.mark.parametrize("name", ["v1", "2026-01-01", "a", "A_b.c-d", "x" * 128])
bad_name = pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "a/b", "/a", "a\\b", "a..b", "-x", "a b", "ä", "x" * 129, "v1\n"],
)


@good_name
def test_plain_names_are_accepted(name: str) -> None:
    assert [check(name) for check in NAMES] == [name] * len(NAMES)


@bad_name
def test_names_that_could_leave_their_place_are_refused_with_the_rule(name: str) -> None:
    for check in NAMES:
        with pytest.raises(InvalidName) as caught:
            check(name)
        assert "letter or digit" in caught.value.hint


@bad_name
def test_no_key_is_made_of_a_bad_name(name: str) -> None:
    places: list[tuple[Callable[..., str], tuple[str, ...]]] = [
        (keys.manifest, ("m", name)),
        (keys.manifest, (name, "v1")),
        (keys.channel, ("m", name)),
        (keys.heartbeat, ("m", "production", name)),
    ]
    for make, names in places:
        with pytest.raises(InvalidName):
            make(*names)


@good_name
def test_a_name_is_found_again_in_its_key(name: str) -> None:
    assert keys.name_in(keys.manifest("m", name)) == name
    assert keys.name_in(keys.heartbeat("m", "production", name)) == name


def test_a_name_that_ends_like_a_document_is_found_again_too() -> None:
    assert keys.name_in(keys.manifest("m", "v1.json")) == "v1.json"


@pytest.mark.parametrize(
    "path", ["model.onnx", "onnx/model.onnx", "a/b/c.bin", "ü/…", ".gitignore"]
)
def test_relative_paths_are_accepted(path: str) -> None:
    assert inner_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *("", ".", "..", "/etc/passwd", "../x", "a/../x", "a/./x", "a//x", "a/", "./a"),
        *("a\\b", "C:x", "a\nb", "a\0b", "a\x7fb", "\ud800", "x" * 513, "x" * 256, "é" * 128),
    ],
)
def test_paths_that_escape_or_that_no_disk_takes_are_refused(path: str) -> None:
    with pytest.raises(InvalidName):
        inner_path(path)


@given(
    st.text(max_size=40) | st.lists(st.sampled_from(["a", "..", ".", "", "\\", "/"])).map("/".join)
)
def test_an_accepted_path_stays_inside_whatever_it_is_joined_to(path: str) -> None:
    try:
        inner_path(path)
    except InvalidName:
        return
    joined = PurePosixPath("/root/version") / path

    assert joined.is_relative_to("/root/version")
    assert ".." not in joined.parts
    assert len(joined.parts) == 3 + len(path.split("/"))
