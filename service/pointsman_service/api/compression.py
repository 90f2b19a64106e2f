"""Compressed bodies: undone within bounds, and made where the client asks for it.

`deflate` is the zlib format, as RFC 9110 has it.
"""

import zlib

from pointsman_service.errors import BodyTooLarge, EncodingUnsupported, InputInvalid

CODINGS = {b"gzip": 31, b"deflate": 15}
"""Every coding that is known here, with zlib's number for its format."""

_LEVEL = 1
"""Numbers hardly get smaller at higher levels, only slower."""
_LEAST_BYTES = 1024
_MOST_MEMBERS = 64
"""Each costs a copy of all that follows it, and empty ones take twenty bytes."""
_IDENTITY = b"identity"


def undo(body: bytes, coding: bytes, limit: int) -> bytes:
    """Decompress a body, to at most `limit` bytes.

    Raises `BodyTooLarge` at the first byte beyond, and `InputInvalid` when the body is not what
    its coding says, or ends too early.
    """
    parts: list[bytes] = []
    size = 0
    while body:
        if len(parts) >= _MOST_MEMBERS:
            raise InputInvalid(f"the body is {coding.decode()} of more than {_MOST_MEMBERS} parts")
        stream = zlib.decompressobj(CODINGS[coding])
        try:
            parts.append(stream.decompress(body, limit - size + 1))
        except zlib.error as error:
            raise InputInvalid(f"the body is not {coding.decode()}: {error}") from error
        size += len(parts[-1])
        if size > limit:
            raise BodyTooLarge(f"a request may have {limit} bytes, and this one unpacks to more")
        if not stream.eof:
            raise InputInvalid(f"the body is {coding.decode()} that ends too early")
        body = stream.unused_data  # gzip may have several members, one after the other
    return b"".join(parts)


def coding_of(content_encoding: bytes) -> bytes | None:
    """Return the coding of a body, None for none; raises `EncodingUnsupported` for another."""
    coding = content_encoding.strip().lower()
    if coding in {b"", _IDENTITY}:
        return None
    if coding not in CODINGS:
        raise EncodingUnsupported("a body may be gzip or deflate, and nothing else")
    return coding


def wanted(accept_encoding: bytes, size: int, *, dense: bool) -> bytes | None:
    """Return the coding in which an answer of `size` bytes is best sent, None for as it is.

    What is `dense`, as floating-point numbers are in binary, is compressed only for clients that
    name one coding and no other: HTTP libraries name several that nobody asked them for, and
    the time would be lost.
    """
    if size < _LEAST_BYTES or not accept_encoding:
        return None
    accepted = [_accepted(each) for each in accept_encoding.lower().split(b",")]
    named = [coding for coding, weight in accepted if weight > 0 and coding != _IDENTITY]
    if dense and len(named) != 1:
        return None
    best = max(accepted, key=lambda each: (each[0] in CODINGS, each[1]))
    return best[0] if best[0] in CODINGS and best[1] > 0 else None


def compress(body: bytes, coding: bytes) -> bytes:
    """Compress an answer."""
    stream = zlib.compressobj(_LEVEL, wbits=CODINGS[coding])
    return stream.compress(body) + stream.flush()


def _accepted(text: bytes) -> tuple[bytes, float]:
    coding, _, parameter = text.partition(b";")
    name, _, weight = parameter.partition(b"=")
    if name.strip() != b"q":
        return coding.strip(), 1.0
    try:
        return coding.strip(), float(weight)
    except ValueError:
        return coding.strip(), 0.0
