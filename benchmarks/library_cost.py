"""What importing the library costs, in time and memory, beside an empty interpreter and boto3."""

import os
import statistics
import subprocess
import sys
from typing import Any

_PROGRAM = """
import time
started = time.perf_counter()
{statement}
seconds = time.perf_counter() - started
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(seconds, int(status["VmHWM"].split()[0]) * 1024)  # ru_maxrss would count the parent's too
"""
_STATEMENTS = {
    "nothing": "pass",
    "pointsman": "import pointsman",
    "pointsman with a registry in s3": "import pointsman; pointsman.open('s3://bucket')",
    "boto3 with a client": "import boto3; boto3.client('s3')",
}
_KEYS = {
    "AWS_ACCESS_KEY_ID": "k",
    "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def measure(rounds: int) -> list[dict[str, Any]]:
    """Take turns, each in a process of its own; return medians."""
    found: dict[str, list[list[float]]] = {name: [] for name in _STATEMENTS}
    for _ in range(rounds):
        for name, statement in _STATEMENTS.items():
            found[name].append(_run(statement))
    rows = []
    for name, each in found.items():
        seconds, memory = (statistics.median(column) for column in zip(*each, strict=True))
        rows.append(
            {"what": name, "milliseconds": round(seconds * 1e3, 1), "rss_mb": round(memory / 1e6)}
        )
    return rows


def _run(statement: str) -> list[float]:
    command = [sys.executable, "-c", _PROGRAM.format(statement=statement)]
    answer = subprocess.run(command, env=os.environ | _KEYS, capture_output=True, check=True)
    return [float(number) for number in answer.stdout.split()]
