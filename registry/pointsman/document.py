"""How documents become bytes and back: canonical JSON, strict about what it knows.

Canonical means UTF-8, members sorted by name, no insignificant white space, no NaN: equal
documents are equal bytes, so a digest of them means something. Members a reader does not
know are never an error: a newer writer may have put them there.
"""

from typing import Any, TypeVar

import msgspec

from pointsman.errors import InvalidDocument

SCHEMA = 1
MAX_DOCUMENT_BYTES = 4 << 20

Record = TypeVar("Record", bound=msgspec.Struct)


def encode(record: msgspec.Struct | dict[str, Any]) -> bytes:
    """Return `record` as canonical JSON."""
    return msgspec.json.encode(msgspec.to_builtins(record), order="deterministic")


def decode(data: bytes, kind: type[Record], what: str) -> Record:
    """Read `data` as a `kind`; `what` names the document in the error.

    Raises `InvalidDocument` when the bytes are not JSON, miss members, have members of the wrong
    type, or announce a schema newer than this library knows.
    """
    try:
        record = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidDocument(f"{what} cannot be read: {error}") from error
    schema = getattr(record, "schema", SCHEMA)
    if schema != SCHEMA:
        raise InvalidDocument(
            f"{what} has schema {schema}, and this pointsman reads schema {SCHEMA}",
            "Upgrade pointsman to the version that wrote it.",
        )
    return record
