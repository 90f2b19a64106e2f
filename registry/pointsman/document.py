"""How documents become bytes and back: canonical JSON, strict about what it knows.

Canonical means UTF-8, members sorted by name, no insignificant white space, null for what is not a
finite number: equal documents are equal bytes, so a digest of them means something. Members a
reader does not know are never an error: a newer writer may have put them there.
"""

from typing import Any, TypeVar

import msgspec

from pointsman.errors import InvalidDocument

SCHEMA = 1
MAX_DOCUMENT_BYTES = 4 << 20

Record = TypeVar("Record", bound=msgspec.Struct)


def encode(record: msgspec.Struct | dict[str, Any]) -> bytes:
    """Return `record` as canonical JSON.

    Raises `InvalidDocument` for what no reader would accept: text that is not Unicode, or more
    than 4 MiB.
    """
    try:
        data = msgspec.json.encode(msgspec.to_builtins(record), order="deterministic")
    except UnicodeEncodeError as error:
        raise InvalidDocument(f"{error.object!r} is not Unicode text") from error
    if len(data) > MAX_DOCUMENT_BYTES:
        raise InvalidDocument(
            f"a document would have {len(data)} bytes, and {MAX_DOCUMENT_BYTES} are the limit",
            "Use fewer files, or shorter texts.",
        )
    return data


def members(data: bytes, what: str) -> dict[str, Any]:
    """Read `data` as an object with all its members; `what` names the document in the error."""
    try:
        found = msgspec.json.decode(data)
    # Deep nesting ends the decoder with a RecursionError: it has a limit of its own.
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidDocument(f"{what} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise InvalidDocument(f"{what} cannot be read: it is not an object")
    return found


def decode(data: bytes, kind: type[Record], what: str) -> Record:
    """Read `data` as a `kind`; `what` names the document in the error.

    Raises `InvalidDocument` when the bytes are not JSON, miss members, have members of the wrong
    type, or announce a schema newer than this library knows.
    """
    # All members are decoded, known or not: what is read here can always be written back.
    found = members(data, what)
    schema = found.get("schema", SCHEMA)
    if schema != SCHEMA:
        raise InvalidDocument(
            f"{what} has schema {schema}, and this pointsman reads schema {SCHEMA}",
            "Upgrade pointsman to the version that wrote it.",
        )
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise InvalidDocument(f"{what} cannot be read: {error}") from error
