"""HTTP by hand: bytes sent as they are, for what no client library would send."""

import socket

from tests.servers.service_process import ServiceProcess


def connection(service: ServiceProcess) -> socket.socket:
    """Connect to a service."""
    host, port = service.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=120)


def conversation(service: ServiceProcess, *parts: bytes) -> bytes:
    """Send bytes as they are, and return what comes until the service closes the connection."""
    with connection(service) as each:
        for part in parts:
            each.sendall(part)
        return rest(each)


def rest(each: socket.socket) -> bytes:
    """Return what comes until the service closes the connection."""
    answer = b""
    while received := each.recv(65536):
        answer += received
    return answer


def head(method: str, path: str, *lines: str, last: bool = True) -> bytes:
    """Return the head of a request; after the `last` one the connection shall be closed."""
    close = ["Connection: close"] if last else []
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *close, *lines, "", ""]).encode(
        "latin-1"
    )


def post(path: str, body: bytes, *lines: str, last: bool = False) -> bytes:
    """Return a whole request."""
    return head("POST", path, f"Content-Length: {len(body)}", *lines, last=last) + body
