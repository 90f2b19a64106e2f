"""Free ports for servers that have to be told one: they cannot say which one they were given.

A port that the system hands out (`bind` to 0) may be handed out again before the server binds it,
to any client that connects to anything. These are below the range it chooses from.
"""

import random
import socket
from contextlib import ExitStack
from pathlib import Path

_FIRST = 12_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_END = 32_768


def free(count: int = 1) -> list[int]:
    """Return different ports of the loopback interface that nobody listens on at present."""
    found: list[int] = []
    with ExitStack() as stack:
        while len(found) < count:
            probe = stack.enter_context(socket.socket())
            port = random.randrange(_FIRST, max(_end(), _FIRST + 1000))
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    return found


def _end() -> int:
    return int(_RANGE.read_text().split()[0]) if _RANGE.exists() else _USUAL_END
