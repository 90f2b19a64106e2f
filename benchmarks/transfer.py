"""How fast versions are sent and brought, against the public tools, in one run.

`make bench-transfer`, or `python -m benchmarks.transfer [SIZE_MB …]`. Every tool is a process of
its own, started for each measurement; the tools take turns, so that a noisy machine disturbs all
alike, and medians of the rounds count. Ours verifies what it brings and hashes what it sends; the
others do neither. Ratios are speeds: to the fastest tool, to each that a target names, and to a
plain copy on the same disk.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.servers import seaweedfs

from benchmarks import capped_server, library_cost, transfer_report, transfer_tools
from benchmarks.transfer_report import Rows
from benchmarks.transfer_tools import Place
from pointsman.hashing import hashed

RESULTS = Path(__file__).parent / "results"
_SIZES_MB = (1, 10, 100, 1024)
_ROUNDS = int(os.environ.get("ROUNDS", "3"))
_CHUNK = 1 << 20
_TOOLS = ("pointsman", "s5cmd", "rclone", "aws-crt", "boto3")
_COPY = "plain copy"


def measure(sizes_mb: Sequence[int] = _SIZES_MB) -> dict[str, Rows]:
    """Measure everything that this machine can."""
    missing = transfer_tools.install()
    for tool, reason in missing.items():
        print(f"without {tool}: {reason}", file=sys.stderr)
    tools = [tool for tool in _TOOLS if tool not in missing]
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        answers: dict[str, Rows] = {"pull": [], "pull, 90 MB/s per connection": [], "publish": []}
        with seaweedfs.running() as server:
            for size_mb in sizes_mb:
                place = _stored(server, directory, size_mb)
                answers["pull"] += _pull(tools, place, directory, size_mb)
                answers["publish"] += _publish(tools, place, directory, size_mb)
        answers["pull, 90 MB/s per connection"] = _capped(tools, directory, sizes_mb[-1])
    return answers


def _stored(server: seaweedfs.SeaweedFS, directory: Path, size_mb: int) -> Place:
    """Make a file of random bytes, and send it; its key tells size and digests."""
    file = directory / f"{size_mb}.bin"
    with file.open("wb") as out:
        for _ in range(size_mb):
            out.write(os.urandom(_CHUNK))
    key = f"bench/{_promised(file)}"
    place = Place(server.endpoint, server.bucket, key, server.environment)
    transfer_tools.upload("pointsman", place, file)
    return place


def _promised(file: Path) -> str:
    """Return size and digests, as the client of pointsman reads them."""
    known = hashed(file)
    return f"{known.size}-{known.sha256}-{known.blake3}"


def _pull(tools: Sequence[str], place: Place, directory: Path, size_mb: int) -> Rows:
    target = directory / "target"
    work: dict[str, Callable[[], Any]] = {
        tool: partial(transfer_tools.download, tool, place, target) for tool in tools
    }
    work[_COPY] = partial(shutil.copyfile, directory / f"{size_mb}.bin", target)
    return _rounds(work, size_mb, before=partial(target.unlink, missing_ok=True))


def _publish(tools: Sequence[str], place: Place, directory: Path, size_mb: int) -> Rows:
    file = directory / f"{size_mb}.bin"
    again = Place(place.endpoint, place.bucket, "bench/sent", place.environment)
    work: dict[str, Callable[[], Any]] = {
        tool: partial(transfer_tools.upload, tool, again, file) for tool in tools
    }
    work[_COPY] = partial(shutil.copyfile, file, directory / "target")
    return _rounds(work, size_mb)


def _capped(tools: Sequence[str], directory: Path, size_mb: int) -> Rows:
    """Pull where every connection is as slow as one of S3's, and only several are fast."""
    file = directory / f"{size_mb}.bin"
    key = _promised(file)
    root = directory / "www"
    (root / "bench").mkdir(parents=True)
    (root / "bench" / key).hardlink_to(file)
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
    try:
        with capped_server.serving(root) as endpoint:
            place = Place(endpoint, "bench", key, keys)
            return _pull(tools, place, directory, size_mb)
    except capped_server.CannotRun as error:
        print(f"without the capped server: {error}", file=sys.stderr)
        return []


def _rounds(
    work: dict[str, Callable[[], Any]], size_mb: int, before: Callable[[], Any] = lambda: None
) -> Rows:
    seconds: dict[str, list[float]] = {name: [] for name in work}
    cpu: dict[str, list[float]] = {name: [] for name in work}
    names = list(work)
    for turn in range(_ROUNDS):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            print(f"{size_mb} MB, round {turn + 1}: {name}", file=sys.stderr)
            run = work[name]
            before()
            used, started = _cpu(), time.perf_counter()
            try:
                run()
            except RuntimeError as error:
                print(f"without {name}: {error}", file=sys.stderr)
                continue
            seconds[name].append(time.perf_counter() - started)
            cpu[name].append(_cpu() - used)
    medians = {name: statistics.median(each) for name, each in seconds.items() if each}
    others = [value for name, value in medians.items() if name not in {"pointsman", _COPY}]
    return [
        {
            "mb": size_mb,
            "tool": name,
            "mb_per_second": _speed(size_mb, median),
            "best": _speed(size_mb, min(seconds[name])),
            "cpu_seconds": round(statistics.median(cpu[name]), 2),
            "to_fastest_tool": _ratio(min(others, default=None), median),
            "to_boto3": _ratio(medians.get("boto3"), median),
            "to_s5cmd": _ratio(medians.get("s5cmd"), median),
            "to_aws_crt": _ratio(medians.get("aws-crt"), median),
            "to_copy": _ratio(medians[_COPY], median),
        }
        for name, median in medians.items()
    ]


def _speed(size_mb: int, seconds: float) -> float:
    """Return megabytes (10^6) per second, with the digits that mean something."""
    speed = size_mb * _CHUNK / 1e6 / seconds
    return round(speed) if speed >= 100 else round(speed, 1)


def _ratio(other: float | None, own: float) -> float | None:
    """Return how many times as fast as another's seconds."""
    return None if other is None else round(other / own, 2)


def _cpu() -> float:
    used = os.times()
    return used.children_user + used.children_system


def main() -> int:
    """Measure, print, write."""
    started, load = time.monotonic(), os.getloadavg()[0]
    print(f"load average {load:.1f} on {os.cpu_count()} cores", file=sys.stderr)
    answers = measure([int(size) for size in sys.argv[1:]] or _SIZES_MB)
    library = library_cost.measure(_ROUNDS)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [
        (
            f"Measured {when} on {os.cpu_count()} cores with a load average of {load:.1f} before; "
            f"{_ROUNDS} rounds, medians, {time.monotonic() - started:.0f} s in all. "
            "Speeds in MB/s; ratios of speeds, ours to theirs where above 1."
        ),
    ]
    for name, rows in (answers | {"library": library}).items():
        lines += ["", f"## {name}", "", *transfer_report.table(rows)]
    document = {"when": when, "cores": os.cpu_count(), "load": load, "rounds": _ROUNDS}
    RESULTS.mkdir(exist_ok=True)
    found = json.dumps(document | answers | {"library": library}, indent=1)
    (RESULTS / "transfer.json").write_text(found + "\n")
    (RESULTS / "transfer.md").write_text("\n".join(["# Transfer", "", *lines]) + "\n")
    (RESULTS / "transfer.svg").write_text(transfer_report.plot(answers))
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
