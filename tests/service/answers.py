"""Requests for predictions as bytes, and their answers taken apart."""

import json
from typing import Any


def body(*numbers: float) -> bytes:
    """A row of four numbers that are all the same, for each number."""
    return json.dumps({"inputs": [[number] * 4 for number in numbers]}).encode()


def answers(received: bytes) -> list[tuple[int, dict[str, str], Any]]:
    """Take what was received apart: statuses, headers, and bodies as JSON."""
    found = []
    while received:
        begin, _, received = received.partition(b"\r\n\r\n")
        lines = begin.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        size = int(headers["content-length"])
        found.append((int(lines[0].split()[1]), headers, json.loads(received[:size])))
        received = received[size:]
    return found
