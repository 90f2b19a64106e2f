"""Addresses of this machine: where a service listens, and what URL leads there."""

import ipaddress
import random
import socket
from pathlib import Path
from urllib.parse import urlsplit

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 — names them, binds nothing
_FIRST = 12_000
_TRIES = 50
# From here on the system hands out ports to whoever connects to anything (Linux, ip(7)).
_LINUX_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_FIRST_OF_SYSTEM = 32_768


def url(host: str, port: int) -> str:
    """Return the URL by which this machine reaches a service that listens there."""
    reached = _EVERYWHERE.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def refusal(host: str, port: int) -> str:
    """Say why nobody can listen there now; "" when somebody can. Port 0 is any."""
    with _socket(host) as probe:
        # As the service does it: what lingers of closed connections is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""


def free_port(host: str) -> int:
    """Return a port that nobody listens on, nor will be given by the system before it is taken."""
    for _ in range(_TRIES):
        port = random.randrange(_FIRST, _first_of_system())  # noqa: S311 — no secret
        if not refusal(host, port):
            return port
    with _socket(host) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine only, where nobody else is."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _first_of_system() -> int:
    try:
        return max(int(_LINUX_RANGE.read_text().split()[0]), _FIRST + 1000)
    except (OSError, ValueError, IndexError):
        return _USUAL_FIRST_OF_SYSTEM


def _socket(host: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
