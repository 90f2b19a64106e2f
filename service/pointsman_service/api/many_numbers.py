"""The body of a `/predict` with many numbers: arrays, without a Python object for any of them.

Where the numbers begin and end is told by what stands around them, so no parser has to look for
that; what is between is proved to be lists of numbers, and with that the whole to be JSON.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from pointsman import datatypes
from pointsman.manifest import TensorSpec
from pointsman_service import json_numbers, tensors
from pointsman_service.api.codec import Body
from pointsman_service.tensors import Arrays

LEAST_BYTES = json_numbers.MANY_BYTES
"""From this size on it pays to look for numbers first."""

_HEAD = re.compile(
    rb"""[ \t\r\n]*\{[ \t\r\n]*"inputs"[ \t\r\n]*:[ \t\r\n]*
    (?:\{[ \t\r\n]*"([^"\\]*)"[ \t\r\n]*:[ \t\r\n]*)?(?=\[)""",
    re.VERBOSE,
)
_TAIL = re.compile(rb"(?<=\])[ \t\r\n]*\}[ \t\r\n]*(\}?)[ \t\r\n]*\Z")
_TAIL_BYTES = 64
_NUMERIC = frozenset("fiu")

Texts = Mapping[str, memoryview]
"""The JSON of each input, by name."""


class _Document(msgspec.Struct):
    inputs: msgspec.Raw


def read(body: Body, signature: Sequence[TensorSpec]) -> Arrays | None:
    """Return the inputs by name; None for what has to be looked at value by value.

    Raises `InputInvalid` for what does not fit the signature, or is too long for such a look.
    """
    if not all(datatypes.NUMPY[spec.datatype].kind in _NUMERIC for spec in signature):
        return None
    for found_by in (_between, _members):
        feed = _feed(found_by(body, signature), signature)
        if feed is not None:
            return feed
    if len(body) > json_numbers.EXPLAINED_BYTES:
        raise json_numbers.unexplained("the body", len(body))
    return None


def _between(body: Body, signature: Sequence[TensorSpec]) -> Texts:
    """Return what should be the only input, if body begins and ends as such bodies do."""
    head, tail = _HEAD.match(body), _TAIL.search(body, max(0, len(body) - _TAIL_BYTES))
    if len(signature) > 1 or not head or not tail or (head[1] is None) == bool(tail[1]):
        return {}
    name = signature[0].name if head[1] is None else bytes(head[1]).decode(errors="replace")
    return {name: memoryview(body)[head.end() : tail.start()]}


def _members(body: Body, signature: Sequence[TensorSpec]) -> Texts:
    """Return the inputs of a body of any form, if it has them."""
    try:
        inputs = memoryview(msgspec.json.decode(body, type=_Document).inputs)
        if bytes(inputs[:1]) == b"{":
            named = msgspec.json.decode(inputs, type=dict[str, msgspec.Raw])
            return {name: memoryview(raw) for name, raw in named.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return {signature[0].name: inputs} if len(signature) == 1 else {}


def _feed(texts: Texts, signature: Sequence[TensorSpec]) -> Arrays | None:
    if len(texts) != len(signature):
        return None
    feed: Arrays = {}
    for spec in signature:
        if spec.name not in texts:
            return None
        reads = json_numbers.read if spec.shape else json_numbers.read_one
        array = reads(texts[spec.name], datatypes.NUMPY[spec.datatype])
        if array is None:
            return None
        tensors.require_shape(array.shape, spec)
        feed[spec.name] = array
    return feed
