"""Few numbers and many are read by different parsers, which must not be noticed by anybody.

Each body is read in every way, wherever it is cut; what comes out, or that it is refused, is equal.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pointsman import datatypes
from pointsman.manifest import TensorSpec
from pointsman_service import json_numbers, number_buffers
from pointsman_service.api import many_numbers
from pointsman_service.api.codec import Call
from pointsman_service.api.predict import NAMED_TENSORS
from pointsman_service.errors import InputInvalid
from pointsman_service.serving.servable import Servable
from tests.service.fake_model import SAMPLE, FakeModel, doubled, fast
from tests.service.v2.versions import version

NUMBERS = [
    "0", "-0", "-0.0", "1", "1.0", "1e2", "1E+2", "0e0", "127", "128", "-129", "255", "256", "0.1",
    "65504", "65519", "65520", "3.4028235677973365e38", "3.4028235677973366e38", "5e-324", "1e-400",
    "1e308", "1e400", "9007199254740993", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "-9223372036854776000", "18446744073709551615",
    "18446744073709551616", "100000000000000000000", "1" + "0" * 40, "1" + "0" * 310,
    "0." + "1" * 400, "1." + "0" * 30, "1.1e" + "0" * 30 + "1",
]  # fmt: skip
"""JSON's numbers, of which no datatype holds all."""
OTHERS = [
    "01", "-01", "+1", "1.", ".5", "-", "1e", "0x1", "1_0", "NaN", "Infinity", "-Infinity", "1 2",
    "- 1", "true", "null", '"1"', "{}", "[]", "[1]", "", "\ufeff1", "\v1", "\xa01", "0" * 30,
    "0" * 30 + "e0", "-" * 20 + "1", "1" * 20 + "-1",
]  # fmt: skip
KEYS = ["inputs"] * 6 + [r"\u0069nputs", "Inputs", "inputs "]
SPACES = [""] * 6 + [" ", "\n", "\t \r\n", "\f", "\v"]
MORE = ['"inputs":[true]', '"inputs":{"x":[0]}', '"more":[[1,{}]]', '"inputs"']
MUTATIONS = ["", ",", "]", "[", "}", "0", " "]
SHAPES = [(-1,), (-1, -1), (-1, 2), (3,), (1, -1, 2), ()]
DATATYPES = sorted(name for name, dtype in datatypes.NUMPY.items() if dtype.kind in "fiu")
LONG = TensorSpec(name="x", datatype="INT64", shape=(-1,))
NAMED = {"x": ["x"] * 6 + [r"\u0078", "z", ""], "y": ["y"] * 6 + ["x"]}


def rarely(draw: st.DrawFn) -> bool:
    """Tell whether something is to go wrong this time."""
    return draw(st.integers(0, 7)) == 7


@st.composite
def lists(draw: st.DrawFn, shape: Sequence[int]) -> str:
    """Return JSON of about some shape: `1`s, and among them one value that is worth a look."""
    special = draw(st.sampled_from(OTHERS if rarely(draw) else NUMBERS))
    if not shape:
        return special
    size = draw(st.integers(1, 4)) if shape[0] < 0 or rarely(draw) else shape[0]
    below = draw(lists(shape[1:])) if shape[1:] else "1"
    parts = [below] * size
    parts[draw(st.integers(0, size - 1))] = draw(lists(shape[1:])) if rarely(draw) else below
    if not shape[1:]:
        parts[draw(st.integers(0, size - 1))] = special
    return f"[{draw(st.sampled_from([',', ', ', ' ,'])).join(parts)}]"


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, list[TensorSpec]]:
    """Return a body, and the signature that it fits or nearly fits."""
    several, shape = rarely(draw), draw(st.sampled_from(SHAPES))
    signature = [
        TensorSpec(name=name, datatype=draw(st.sampled_from(DATATYPES)), shape=shape)
        for name in (["x", "y"] if several else ["x"])
    ]
    space = draw(st.sampled_from(SPACES))
    inputs = draw(lists(shape))
    if several or draw(st.booleans()):
        names = [draw(st.sampled_from(NAMED[spec.name])) for spec in signature]
        named = [f'"{name}":{space}{draw(lists(shape))}' for name in names]
        inputs = f"{{{','.join(named)}}}"
    members = [f'{space}"{draw(st.sampled_from(KEYS))}"{space}:{inputs}{space}']
    if rarely(draw):
        members.insert(draw(st.integers(0, 1)), draw(st.sampled_from(MORE)))
    body = f"{space}{{{','.join(members)}}}{space}"
    if rarely(draw):
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.sampled_from(MUTATIONS)) + body[at + 1 :]
    return body.encode(), signature


Outcome = dict[str, tuple[object, object, bytes]] | None
"""Dtype, shape and bytes of each input, by name; None for a refusal."""


@contextmanager
def reading(piece: int | None) -> Iterator[None]:
    """Read as if there were few numbers, or many in pieces of some size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many_numbers, "LEAST_BYTES", 1 << 30 if piece is None else 0)
        patch.setattr(json_numbers, "MANY_BYTES", 0)
        patch.setattr(json_numbers, "EXPLAINED_BYTES", 0)
        patch.setattr(number_buffers, "_PIECE_BYTES", piece or 1)
        yield


class Asked(Call):
    """A request that is only read."""

    def finish(self, failure: BaseException | None) -> None:
        """Tell nobody."""


def outcome(body: bytes, signature: list[TensorSpec]) -> Outcome:
    """Return what a body is read as."""
    servable = Servable(version(tuple(signature), ()), FakeModel(doubled), SAMPLE, fast())
    call = Asked(NAMED_TENSORS, {}, body)
    try:
        feed = NAMED_TENSORS.read(call, servable)
    except InputInvalid:
        return None
    return {name: (each.dtype, each.shape, each.tobytes()) for name, each in sorted(feed.items())}


@pytest.mark.skipif(not number_buffers.available, reason="there is no simdjson for this Python")
@settings(max_examples=1500, deadline=None)
@example((b'{"inputs":[-9223372036854775809]}', [LONG]), 1)
@example((b'{"inputs":[-9223372036854776000,1]}', [LONG]), 8)
@given(requests(), st.sampled_from([1, 8, 30, 1 << 17]))
def test_a_body_means_the_same_however_it_is_read(
    asked: tuple[bytes, list[TensorSpec]], piece: int
) -> None:
    body, signature = asked
    with reading(None):
        expected = outcome(body, signature)
    with reading(piece):
        assert outcome(body, signature) == expected or b"[]" in body
