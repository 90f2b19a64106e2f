"""What the answers on a connection begin with: their first line and most of their headers."""

from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from pointsman_service.api.messages import Header, Response
from pointsman_service.exchange import Exchange

_OK = 200


def prepared(exchange: Exchange, response: Response, dated: list[Header]) -> bytes:
    """Return the head for an exchange: for most, all but its own headers is made once a second.

    `dated` are the server's own headers, a new list whenever they change.
    """
    if not exchange.claimed or response.status != _OK:
        return made(response, (*dated, *response.headers, *exchange.judged_by))
    heads = exchange.servable.prepared
    key = (prepared, response.content_type)
    known = heads.get(key)
    if known is None or known[0] is not dated:
        known = heads[key] = (dated, made(response, (*dated, *exchange.judged_by)))
    head: bytes = known[1]
    return head + _lines(response.headers) if response.headers else head


def made(response: Response, headers: Iterable[Header]) -> bytes:
    """Return a head without its end: more headers may follow."""
    line = STATUS_LINE[response.status] + b"content-type: %b\r\n" % response.content_type
    return line + _lines(headers)


def last(response: Response, headers: Iterable[Header]) -> bytes:
    """Return the whole answer after which a connection ends."""
    end = b"content-length: %d\r\nconnection: close\r\n\r\n" % len(response.body)
    return made(response, headers) + end + response.body


def _lines(headers: Iterable[Header]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])
