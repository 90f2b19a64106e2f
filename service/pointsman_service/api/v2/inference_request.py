"""An inference request: as its JSON stands on the wire, and as it is once understood."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from pointsman_service.errors import InputInvalid
from pointsman_service.tensors import Arrays

MAX_DEPTH = 100

_INT64 = 1 << 63
Integer = Annotated[int, Meta(ge=-_INT64, le=_INT64 - 1)]
Parameters = dict[str, str | Integer | float | bool | None]
Size = Annotated[int, Meta(ge=0, le=_INT64 - 1)]
Shape = Annotated[list[Size], Meta(max_length=64)]
"""No array has more dimensions, nor larger ones."""

_ABSENT = msgspec.Raw()


class WireInput(msgspec.Struct):
    """An input as it is sent: `data`, or the parameter `binary_data_size`."""

    name: str
    shape: Shape
    datatype: str
    parameters: Parameters | None = None
    data: msgspec.Raw = _ABSENT

    @property
    def has_data(self) -> bool:
        """Tell whether the values are in the JSON."""
        return self.data is not _ABSENT


class WireOutput(msgspec.Struct):
    """An output that is asked for."""

    name: str
    parameters: Parameters | None = None


class WireRequest(msgspec.Struct):
    """The JSON of an inference request; members that the protocol lacks are passed over."""

    inputs: list[WireInput]
    id: str | None = None
    parameters: Parameters | None = None
    outputs: list[WireOutput] | None = None


class RequestedOutput(msgspec.Struct):
    """An output to be answered: as binary or JSON, as it is or as its `classes` best indices."""

    name: str
    binary: bool
    classes: int = 0


class InferenceRequest(msgspec.Struct):
    """A request that fits the model's signature."""

    feed: Arrays
    outputs: Sequence[RequestedOutput]
    id: str = ""
    """The caller's, to be repeated; empty if there was none."""
    timeout: float | None = None
    """Seconds after which nobody waits for the answer any more."""
    priority: int = 0
    """1 is the highest; 0 leaves it to the service."""
    non_finite: str = ""
    """How JSON shall show NaN and infinities: "token", "null", or not at all."""


_decoder = msgspec.json.Decoder(WireRequest)


def read(document: bytes | bytearray | memoryview) -> WireRequest:
    """Read the JSON of a request; raises `InputInvalid` with the place that is wrong."""
    try:
        return _decoder.decode(document)
    except msgspec.ValidationError as error:
        raise InputInvalid(f"the request is not as the protocol has it: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputInvalid(f"the request is not JSON: {error}") from error
    except RecursionError as error:
        raise too_deep() from error


def too_deep() -> InputInvalid:
    """Return the failure of JSON that is nested beyond all reason."""
    return InputInvalid(f"JSON nesting depth exceeds maximum allowed limit ({MAX_DEPTH})")


def flag(parameters: Parameters | None, name: str, *, default: bool) -> bool:
    """Return a parameter that is true or false."""
    value = parameters.get(name) if parameters else None
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InputInvalid(f"Invalid value for {name!r}: expected a boolean")
    return value


def count(parameters: Mapping[str, object] | None, name: str) -> int | None:
    """Return a parameter that is a whole number of at least zero, if it is there."""
    value = parameters.get(name) if parameters else None
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputInvalid(f"Invalid value for {name!r}: expected an integer of at least 0")
    return value
