"""How much memory is left: the least of what every cgroup above this process, and the host, grant.

Files that a cgroup's processes read stay in memory and count as used until somebody needs the room:
what is inactive of them is taken for free, as the kubelet does. Both versions of cgroups are known;
a process that is in none, as on a virtual machine of its own, has what the host has.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from pointsman_service.runtime import memory

_UNLIMITED = 1 << 60  # version 1 writes 2**63 rounded down to a page where there is no limit


class Headroom(msgspec.Struct, frozen=True):
    """Bytes: what this process and its neighbours may hold together, and what is left of it."""

    limit: int
    available: int


class _Names(msgspec.Struct, frozen=True):
    """What a version of cgroups calls its files."""

    limit: str
    usage: str
    inactive: str


_VERSION_1 = _Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_VERSION_2 = _Names("memory.max", "memory.current", "inactive_file")


def measure(limit_bytes: int = 0, root: Path = Path("/")) -> Headroom | None:
    """Return what is left; None where nothing tells.

    `limit_bytes`, if not 0, is what this process alone may hold, besides all other limits.
    """
    found = [*_cgroups(root), *_host(root)]
    if limit_bytes:
        found.append(Headroom(limit_bytes, limit_bytes - memory.resident_bytes()))
    if not found:
        return None
    least = min(found, key=lambda each: each.available)
    return Headroom(min(each.limit for each in found), max(least.available, 0))


def _cgroups(root: Path) -> Iterator[Headroom]:
    """Go through every cgroup that this process is in and that has a limit."""
    mount = root / "sys/fs/cgroup"
    for base, path, names in _memberships(mount, root / "proc/self/cgroup"):
        # In a container the path may be the host's, and the mount shows only what is below it.
        for place in (path, *path.parents):
            if (headroom := _of(base / place, names)) is not None:
                yield headroom


def _memberships(mount: Path, listing: Path) -> Iterator[tuple[Path, Path, _Names]]:
    try:
        lines = listing.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            yield mount, Path(path.lstrip("/")), _VERSION_2
        elif "memory" in controllers.split(","):
            yield mount / "memory", Path(path.lstrip("/")), _VERSION_1


def _of(directory: Path, names: _Names) -> Headroom | None:
    try:
        limit = int((directory / names.limit).read_text())
        usage = int((directory / names.usage).read_text())
        inactive = _member(directory / "memory.stat", names.inactive)
    except (OSError, ValueError):
        return None  # "max": no limit; or not there
    if limit >= _UNLIMITED:
        return None
    return Headroom(limit, limit - max(usage - inactive, 0))


def _host(root: Path) -> Iterator[Headroom]:
    try:
        path = root / "proc/meminfo"
        yield Headroom(_member(path, "MemTotal:") << 10, _member(path, "MemAvailable:") << 10)
    except (OSError, ValueError):
        return


def _member(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        words = line.split()
        if words and words[0] == name:
            return int(words[1])
    raise ValueError(f"{path} has no {name}")
