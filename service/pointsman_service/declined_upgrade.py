"""An upgrade that is declined: the request goes on as if it had not been wished for.

A server may ignore `Upgrade` (RFC 9110 §7.8), and clients that try another protocol on their first
request count on it: Java's wishes for `h2c` with every request until it has been answered once. The
parser takes whatever follows such a head for the other protocol, so the head is read once more.
"""

from collections.abc import Iterable

import httptools

from pointsman_service.api.messages import Header


def feed(parser: httptools.HttpRequestParser, data: memoryview) -> int | None:
    """Parse; return where a head ends whose upgrade is declined, None if there is none."""
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade as upgrade:
        if is_declined(parser):
            return int(upgrade.args[0])
    return None


def is_declined(parser: httptools.HttpRequestParser) -> bool:
    """Tell whether the request in `parser` wishes for a protocol that it can do without."""
    return parser.should_upgrade() and parser.get_method() != b"CONNECT"


def head(parser: httptools.HttpRequestParser, target: bytes, headers: Iterable[Header]) -> bytes:
    """Return the head that has been parsed, without the wish."""
    version = parser.get_http_version().encode()
    lines = [b"%b: %b\r\n" % header for header in headers if header[0] != b"upgrade"]
    return b"%b %b HTTP/%b\r\n%b\r\n" % (parser.get_method(), target, version, b"".join(lines))
